package v1alpha1

// The condition types of a Chatt2Webhook.
const (
	// ConditionReady sums up the others: Synced, Verified unless readyWhen is Registered, and SigningSecretReady when
	// the webhook is signed. Nobody sets it, it is computed.
	ConditionReady = "Ready"
	// ConditionSynced is True when the webhook on the Hub matches spec.
	ConditionSynced = "Synced"
	// ConditionVerified is True when the Hub has verified the endpoint.
	ConditionVerified = "Verified"
	// ConditionSigningSecretReady is True when the Secret holds the value that the Hub signs with. It is present only
	// with requiresSignature.
	ConditionSigningSecretReady = "SigningSecretReady"
	// ConditionReconciling is present, and True, while the operator is at work or waits for something that may come
	// by itself.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present, and True, when nothing will change until somebody acts.
	ConditionStalled = "Stalled"
)

// Reasons of conditions when all is well, or not yet known.
const (
	// ReasonPending: the operator has not observed the resource yet, or is done with one that other finalizers keep.
	ReasonPending = "Pending"
	// ReasonReady: everything that Ready waits for is true.
	ReasonReady = "Ready"
	// ReasonSynced: the webhook on the Hub matches spec.
	ReasonSynced = "Synced"
	// ReasonVerified: the Hub has verified the endpoint.
	ReasonVerified = "Verified"
	// ReasonStored: the Secret holds the value that the Hub signs with.
	ReasonStored = "Stored"
	// ReasonSuspended: spec.suspend is true.
	ReasonSuspended = "Suspended"
)

// Reasons that pass by themselves, or once something that may still come is there: Reconciling is True.
const (
	// ReasonRegistering: the webhook is not registered yet and nothing is in its way.
	ReasonRegistering = "Registering"
	// ReasonUpdating: the webhook on the Hub is about to be changed to what spec says.
	ReasonUpdating = "Updating"
	// ReasonCreateUnconfirmed: the answer to a registration was lost; its outcome is looked up in the list of webhooks.
	ReasonCreateUnconfirmed = "CreateUnconfirmed"
	// ReasonRemotelyDeleted: the webhook was deleted on the Hub; it is registered again.
	ReasonRemotelyDeleted = "RemotelyDeleted"
	// ReasonAwaitingVerification: the Hub has not verified the endpoint yet, and it is early.
	ReasonAwaitingVerification = "AwaitingVerification"
	// ReasonVerificationFailed: the Hub did not verify the endpoint; the operator goes on asking it to, ever less
	// often.
	ReasonVerificationFailed = "VerificationFailed"
	// ReasonHubUnavailable: the Hub does not answer, or answers with a fault of its own.
	ReasonHubUnavailable = "HubUnavailable"
	// ReasonForbidden: the Hub accepts the API key, but not this call with it.
	ReasonForbidden = "Forbidden"
	// ReasonThrottled: the Hub rate limits calls with this API key (429).
	ReasonThrottled = "Throttled"
	// ReasonAPIKeyNotFound: the Secret of spec.apiKeySecretRef does not exist yet.
	ReasonAPIKeyNotFound = "APIKeyNotFound"
	// ReasonHeaderSourceNotFound: a Secret or ConfigMap that a header refers to does not exist yet.
	ReasonHeaderSourceNotFound = "HeaderSourceNotFound"
	// ReasonRotating: the signing secret is being made or exchanged.
	ReasonRotating = "Rotating"
	// ReasonSecretNotStored: a new signing secret is held in memory because the Secret could not be written.
	ReasonSecretNotStored = "SecretNotStored"
	// ReasonDeletionBlocked: the resource is being deleted and the webhook cannot be deleted on the Hub yet.
	ReasonDeletionBlocked = "DeletionBlocked"
)

// Reasons that last until somebody acts: Stalled is True.
const (
	// ReasonAPIKeyInvalid: the Secret of spec.apiKeySecretRef has no usable API key under the key named.
	ReasonAPIKeyInvalid = "APIKeyInvalid"
	// ReasonAPIKeyRefused: the Hub does not accept the API key.
	ReasonAPIKeyRefused = "APIKeyRefused"
	// ReasonRejected: the Hub refused what spec says.
	ReasonRejected = "Rejected"
	// ReasonNotApplied: the Hub took an update and did not change a field.
	ReasonNotApplied = "NotApplied"
	// ReasonAlreadyExists: the Hub has such a webhook and spec.adoption.policy is Never.
	ReasonAlreadyExists = "AlreadyExists"
	// ReasonAlreadyRegistered: the resource has another webhook than the one that spec.adoption.webhookID names.
	ReasonAlreadyRegistered = "AlreadyRegistered"
	// ReasonAmbiguousMatch: the Hub has several such webhooks and none of them is known to be ours.
	ReasonAmbiguousMatch = "AmbiguousMatch"
	// ReasonConflict: another resource declares the same webhook.
	ReasonConflict = "Conflict"
	// ReasonWebhookNotFound: the Hub has no webhook with the id of spec.adoption.webhookID.
	ReasonWebhookNotFound = "WebhookNotFound"
	// ReasonApplicationChanged: the API key seems to belong to another Application than the webhook does.
	ReasonApplicationChanged = "ApplicationChanged"
	// ReasonHeaderSourceInvalid: a header's source has no such key, or a value that cannot be a header.
	ReasonHeaderSourceInvalid = "HeaderSourceInvalid"
	// ReasonHeaderSourceNotAllowed: a header's Secret does not carry the annotation that allows its use as one.
	ReasonHeaderSourceNotAllowed = "HeaderSourceNotAllowed"
	// ReasonSecretConflict: there is a Secret of the signing Secret's name that this resource does not control.
	ReasonSecretConflict = "SecretConflict"
	// ReasonSecretRejected: the API server refuses the signing Secret as spec.signingSecret describes it.
	ReasonSecretRejected = "SecretRejected"
	// ReasonMetadataRejected: the API server does not keep the finalizer or the annotations that the operator writes to
	// the resource.
	ReasonMetadataRejected = "MetadataRejected"
)

// Reasons of events that are not reasons of a condition.
const (
	EventRegistered     = "Registered"
	EventAdopted        = "Adopted"
	EventUpdated        = "Updated"
	EventSecretRotated  = "SecretRotated"
	EventDriftCorrected = "DriftCorrected"
	EventDeleted        = "Deleted"
	EventRetained       = "Retained"
	EventOrphaned       = "Orphaned"
	// EventAPIKeySecretDeleted: the Secret with the API key was deleted while resources use it.
	EventAPIKeySecretDeleted = "APIKeySecretDeleted"
	// EventAPIKeyUnprotected: the API server refuses the in-use finalizer on the Secret with the API key.
	EventAPIKeyUnprotected = "APIKeyUnprotected"
	// EventDuplicateDeleted: a second webhook was deleted, made by a registration whose answer was lost, or at the same
	// moment as that of an older resource that declares the same.
	EventDuplicateDeleted = "DuplicateDeleted"
)
