-- While a resource is suspended nothing is asked of the Hub, and while it is being deleted nothing but that.
local deleting = obj.metadata.deletionTimestamp ~= nil
local suspended = obj.spec.suspend == true
local idle = deleting or suspended

return {
  ["sync"] = {
    disabled = idle,
    displayName = "Look at the Hub now",
    iconClass = "fa fa-fw fa-sync",
  },
  ["rotate-secret"] = {
    disabled = idle or obj.spec.requiresSignature ~= true,
    displayName = "Rotate the signing secret",
    iconClass = "fa fa-fw fa-key",
  },
  ["suspend"] = {
    disabled = idle,
    displayName = "Suspend",
    iconClass = "fa fa-fw fa-pause-circle",
  },
  ["resume"] = {
    disabled = deleting or not suspended,
    displayName = "Resume",
    iconClass = "fa fa-fw fa-play-circle",
  },
}
