package plan

// State names where a resource stands, for logs.
type State string

// The states.
const (
	// Suspended: the user has set spec.suspend.
	Suspended State = "Suspended"
	// Restoring: the finalizer or the create intent was removed from the resource.
	Restoring State = "Restoring"
	// Unregistered: the resource has no webhook.
	Unregistered State = "Unregistered"
	// AwaitingConfirmation: a registration was sent, and its outcome is unknown.
	AwaitingConfirmation State = "AwaitingConfirmation"
	// Conflicted: another resource claims the webhook, or spec claims another one.
	Conflicted State = "Conflicted"
	// Duplicated: a registration whose answer was lost has made a second webhook.
	Duplicated State = "Duplicated"
	// Orphaned: the user has given the webhook up.
	Orphaned State = "Orphaned"
	// RemotelyDeleted: the webhook was deleted on the Hub.
	RemotelyDeleted State = "RemotelyDeleted"
	// Drifted: the webhook on the Hub differs from spec.
	Drifted State = "Drifted"
	// Rotating: the signing secret is being replaced, or must be.
	Rotating State = "Rotating"
	// SecretMisplaced: the signing Secret has another name or other metadata than spec says, or is not used.
	SecretMisplaced State = "SecretMisplaced"
	// AwaitingVerification: the Hub has not verified the endpoint.
	AwaitingVerification State = "AwaitingVerification"
	// InSync: the webhook on the Hub matches spec.
	InSync State = "InSync"
	// Deleting: the resource is being deleted.
	Deleting State = "Deleting"
)
