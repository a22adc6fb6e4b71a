package main

const (
	atOnce     = "at once when the annotation `hub.chatt2.me/reconcile-requested-at` is set to a new value"
	triedAgain = "it is tried again within some minutes, or " + atOnce
)

// remedies say what a person does about each reason.
var remedies = map[string]string{
	"Pending": "wait; if it stays, check that the operator runs and watches the namespace; of a resource that is " +
		"being deleted, remove the finalizers that the message names",
	"Ready":     "nothing",
	"Synced":    "nothing",
	"Verified":  "nothing",
	"Stored":    "nothing",
	"Suspended": "set `spec.suspend` to false to go on",

	"Registering":       "wait",
	"Updating":          "wait",
	"CreateUnconfirmed": "wait; the Hub is asked after `--hub-settle-time`",
	"RemotelyDeleted":   "wait; find out who deleted it; with signing there will be a new secret",
	"AwaitingVerification": "bring the endpoint up: it must answer the POST that carries `X-Validation-Token` with " +
		"status 200 and exactly that token",
	"VerificationFailed": "repair the endpoint; the Hub is made to try again after 1, 2, 4 and at most 60 minutes, " +
		atOnce,
	"HubUnavailable":       "wait; check `--hub-url` and the way out of the cluster",
	"Forbidden":            "look at what the key may do, and at the limits of the Application; " + triedAgain,
	"Throttled":            "wait; lower `--hub-qps` if it happens often",
	"APIKeyNotFound":       "create the Secret",
	"HeaderSourceNotFound": "create the Secret or ConfigMap",
	"Rotating":             "wait",
	"SecretNotStored":      "look at the API server, admission and quotas; do not restart the operator; " + triedAgain,
	"DeletionBlocked": "repair what the message names, or give the webhook up with the annotation " +
		"`hub.chatt2.me/force-orphan`; " + triedAgain,

	"APIKeyInvalid": "put the key there; it must be printable ASCII without spaces",
	"APIKeyRefused": "put a valid key into the Secret, which is noticed at once; if the Hub accepts the same key " +
		"again, " + triedAgain,
	"Rejected": "correct spec; the message has the words of the Hub; if the Hub accepts the same spec by now, it is " +
		"sent again within the hour, or " + atOnce,
	"NotApplied": "set spec to what the Hub has, which the message shows, or delete the resource and create it " +
		"again; to have it sent once more, set the annotation `hub.chatt2.me/reconcile-requested-at` to a new value",
	"AlreadyExists": "delete the webhook on the Hub, or set `adoption.policy` to `IfMatching`",
	"AlreadyRegistered": "remove `adoption.webhookID`, or give the present webhook up with the annotation " +
		"`hub.chatt2.me/force-orphan`",
	"AmbiguousMatch":  "name one in `adoption.webhookID`, or delete all but one on the Hub",
	"Conflict":        "change or delete one of the two",
	"WebhookNotFound": "correct the id, or remove it",
	"ApplicationChanged": "put the former key (or `--hub-url`) back, or give the webhook up with the annotation " +
		"`hub.chatt2.me/force-orphan`",
	"HeaderSourceInvalid":    "correct the source",
	"HeaderSourceNotAllowed": "annotate the Secret with `hub.chatt2.me/allow-as-header=true`",
	"SecretConflict":         "delete that Secret, or choose another `signingSecret.name`",
	"SecretRejected": "follow the message: template, immutable Secret, permissions, quota or admission policy; " +
		triedAgain,
	"MetadataRejected": "exempt Chatt2Webhooks from the admission policy that removes them, then set the annotation " +
		"`hub.chatt2.me/reconcile-requested-at`",
}
