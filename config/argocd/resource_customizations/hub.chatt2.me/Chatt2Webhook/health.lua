-- Chatt2Webhook follows kstatus: status.observedGeneration, and the conditions Ready, Reconciling and Stalled, of which
-- the last two are present only while they are True, and never both.
-- CRD: https://github.com/chatt2me/webhook-operator/blob/main/config/crd/bases/hub.chatt2.me_chatt2webhooks.yaml
local status = obj.status or {}

-- The status of an older spec says nothing about this one; -1 is what a new resource begins with.
if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "Waiting for the operator to look at this version of the resource" }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

-- The reason leads to the table of reasons in the README, which says what to do.
local function is(health, condition)
  return { status = health, message = condition.reason .. ": " .. condition.message }
end

local ready, stalled, reconciling = conditions["Ready"], conditions["Stalled"], conditions["Reconciling"]
if stalled ~= nil and stalled.status == "True" then
  return is("Degraded", stalled)
end
if reconciling ~= nil and reconciling.status == "True" then
  return is("Progressing", reconciling)
end
if ready == nil then
  return { status = "Progressing", message = "Waiting for the condition Ready" }
end
if ready.status == "True" then
  return is("Healthy", ready)
end
if ready.reason == "Suspended" then
  return is("Suspended", ready)
end
return is("Progressing", ready)
