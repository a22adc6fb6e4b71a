-- Each new value makes the operator look at the Hub, and have the endpoint verified, once.
-- There is no global os without the open libraries, which actions never get.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["hub.chatt2.me/reconcile-requested-at"] = os.date("!%Y-%m-%dT%XZ")
return obj
