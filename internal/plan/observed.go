// Package plan decides what to do about a Chatt2Webhook. It is pure: everything it knows stands in one value, the time
// included, and what comes out is a value too.
package plan

import (
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// Observed is everything that a decision rests on.
type Observed struct {
	// Now is the time of the observation.
	Now time.Time
	// Settings are those of the operator.
	Settings Settings
	// Object is the resource as it was read. A decision does not change it.
	Object *v1alpha1.Chatt2Webhook
	// Local is what this process remembers, and a restart loses.
	Local LocalState
	// Key is about the API key.
	Key Key
	// Hub is about the connection of the API key.
	Hub Hub
	// ID is the webhook that belongs to the resource, from its status or from the local state; empty when none is
	// known.
	ID string
	// Unproved: only status names the webhook, or it names another one, and the webhook was not observed since.
	Unproved bool
	// Remote is the webhook with that id.
	Remote Remote
	// Owner is the resource that ID, or the webhook to adopt by id, belongs to, when that is another one:
	// "namespace/name".
	Owner string
	// SecretTaken: the webhook whose secret the signing Secret holds belongs to another resource.
	SecretTaken bool
	// OwnerDiffers: the webhook is what that one declares, and not what this resource does.
	OwnerDiffers bool
	// OlderClaimant is an older resource that declares the same webhook with the same API key: "namespace/name".
	OlderClaimant string
	// Leaving are those of the owners and the older claimant named here that are being deleted.
	Leaving []string
	// Unclaimed: besides the resource's webhook there is a matching one that no resource is known to have. A resource
	// of another shard may be about to record it.
	Unclaimed bool
	// Matches are the webhooks on the Hub that match the declared one, other than ID and the one given up by
	// force-orphan, oldest first.
	Matches []Match
	// Wanted is the webhook of spec.adoption.webhookID, observed only while there is no ID.
	Wanted Remote
	// Unwritten is the status that could not be written when that was last tried, nil when it was written.
	Unwritten *v1alpha1.Chatt2WebhookStatus
	// Applied is what the Hub last accepted of the fields that it may not show.
	Applied v1alpha1.AppliedStatus
	// Headers are about the sources of the headers.
	Headers Headers
	// Signing is the signing Secret.
	Signing SigningSecret
	// OtherKey: a registration was sent with another API key than the present one.
	OtherKey bool
	// FormerSecret is a signing Secret that the resource controls under another name than spec says, nil for none.
	FormerSecret *SigningSecret
}

// Settings are the settings that the operator was started with.
type Settings struct {
	// SettleTime is longer than the Hub may take to carry out a call that the client has given up.
	SettleTime time.Duration
	// OrphanAfter is how long a deletion waits for a usable API key, or for a Hub that refuses it.
	OrphanAfter time.Duration
	// PollInterval is how often the Hub is listed while nothing happens.
	PollInterval time.Duration
	// SecretRecheck is how soon Secrets are read again whose changes are not watched; 0 where they are.
	SecretRecheck time.Duration
	// ActingSince is when this process began to act; calls of another process may have been in flight then.
	ActingSince time.Time
}

// LocalState is what this process remembers. Losing it costs an observation, never correctness.
type LocalState struct {
	// WebhookID is the resource's webhook as this process last knew it.
	WebhookID string
	// DeletedID is the webhook that this process deleted because the resource is being deleted.
	DeletedID string
	// ApplicationID is the Application that it belongs to, and APIKeyHash identifies the API key that showed it last,
	// where status lacks them.
	ApplicationID, APIKeyHash string
	// IntentClosed is true when this process wrote the create intent and no registration since is unaccounted for.
	IntentClosed bool
	// Intent is what the annotations last recorded of open registrations, which a user may remove; nil when none is
	// open.
	Intent map[string]string
	// SeenAt is when the resource was first observed without a webhook; zero while it has one.
	SeenAt time.Time
	// Unsettled is when a call that changes something ended with an unknown outcome; zero when none did, or when the
	// webhook was observed since.
	Unsettled time.Time
	// RotationOwn is true when this process began the rotation under way and no redefinition since is unaccounted for.
	RotationOwn bool
	// Held is true while a new signing secret is held that could not be stored.
	Held bool
	// SecretAmbiguous is true when another client stored a secret while one was held: it is unknown with which of them
	// the Hub signs.
	SecretAmbiguous bool
	// SecretProblem is why the signing Secret could not be written when that was last tried, SecretRetryAt when it may
	// be written again. Calls to the Hub have a back-off of their own, RetryAt.
	SecretProblem *Problem
	SecretRetryAt time.Time
	// MetadataLostOf is the generation whose labels and annotations, or owner reference, the API server did not keep on
	// the signing Secret when they were last written, as an admission policy may change them; zero when it did.
	MetadataLostOf int64
	// UnkeptUntil is when the finalizer and the annotations of a registration are written to the resource again, which
	// the API server did not keep when they were last written; zero when it did.
	UnkeptUntil time.Time
	// RequiresSignature is what this process last sent of the field of that name for the webhook, and the Hub took; nil
	// when it sent nothing. Only a Hub that does not show the field makes it count.
	RequiresSignature *bool
	// Rejected is the Hub's refusal of what spec says, until spec or a header's source changes, or RejectedUntil.
	Rejected      *Problem
	RejectedUntil time.Time
	// RetryAt is when a call that failed may be made again, with the problem that it had.
	RetryAt time.Time
	// Problem is what the last call that failed ran into.
	Problem *Problem
	// ProblemTime is how long calls had failed with that problem when the last one failed.
	ProblemTime time.Duration
	// Requested is when the present value of reconcile-requested-at was first observed; zero when it is handled.
	Requested time.Time
	// Answered is the request to reconcile that was last answered, which status may not show yet.
	Answered string
	// ObservedAt is when a GET was last made for this resource alone.
	ObservedAt time.Time
	// Verification is about the attempts to have the endpoint verified.
	Verification Verification
	// KeyProblemSince is when the API key was first observed to be missing or refused, zero while it is not.
	KeyProblemSince time.Time
}

// Verification is about the attempts to have the endpoint verified.
type Verification struct {
	// Since is when the Hub last had a reason to verify the endpoint: it was registered or changed, or the Hub was made
	// to try again. Zero when nothing is waited for.
	Since time.Time
	// Triggers is how often the Hub was made to verify again.
	Triggers int
	// Undone: a verification was reset, or may have been, and the Hub does not retry by itself.
	Undone bool
}

// Key is about the API key.
type Key struct {
	// Problem is why there is no usable API key, nil when there is one.
	Problem *Problem
	// Hash distinguishes the key from others.
	Hash string
	// Terminating is true when the Secret is being deleted.
	Terminating bool
	// Unprotected is true when the in-use finalizer is to be added to the Secret now.
	Unprotected bool
	// ProtectAt is when adding it is retried after the API server has refused it; zero when it has not.
	ProtectAt time.Time
}

// Hub is about the connection of the API key.
type Hub struct {
	// Refused: the Hub does not accept the key. Down: it is unreachable or returns server errors. At most one is true.
	Refused, Down bool
	// Cause is what went wrong when the Hub went down, in our own words.
	Cause string
	// PausedUntil is when calls resume after the Hub has rate limited them; in the past, or zero, when they may be
	// made.
	PausedUntil time.Time
	// ListedAt is when the last complete listing began; zero when there was none yet.
	ListedAt time.Time
	// ListingCalls is how many calls a listing takes.
	ListingCalls int
	// ApplicationID is the Application that the key's webhooks belong to, empty when that is not known.
	ApplicationID string
	// Pages is how many pages the first listing has, and PagesRead how many of them were read; zero once a listing was
	// complete.
	Pages, PagesRead int
	// Unreadable is the entry that keeps listings from being complete, in our own words; empty if there is none.
	Unreadable string
}

// Presence is whether a webhook exists on the Hub.
type Presence int

const (
	// Unseen: not known.
	Unseen Presence = iota
	// Present: it exists, as Webhook shows.
	Present
	// Absent: a listing does not show it and a GET says that it does not exist for this API key.
	Absent
)

// Remote is a webhook on the Hub.
type Remote struct {
	Presence Presence
	// Webhook is set when it is present.
	Webhook hub.Webhook
	// SeenAt is when the call began that showed it so.
	SeenAt time.Time
}

// Match is a webhook that matches the declared one.
type Match struct {
	Webhook hub.Webhook
	// Owner is the other resource that it belongs to, "namespace/name"; empty when it belongs to none.
	Owner string
	// Former: it matches what an earlier registration said, and not what spec says now.
	Former bool
}

// Headers are about the sources of the headers.
type Headers struct {
	// Hash is over the list in spec and the identity and version of each source.
	Hash string
	// Problem is why the values cannot be read, nil when they can.
	Problem *Problem
}

// SigningSecret is what is known of a signing Secret.
type SigningSecret struct {
	// Name is the name of the Secret.
	Name string
	// Exists: there is a Secret of that name. Foreign: and the resource does not control it, see ForeignSecret.
	Exists, Foreign bool
	// Unowned: no object that exists controls it and it has the operator's label, as one has that was kept or orphaned
	// when its resource was deleted, or restored from a backup.
	Unowned bool
	// Terminating: it is being deleted and a finalizer keeps it.
	Terminating bool
	// Leaving: it is not the resource's and will be gone soon: it is terminating, or it is controlled by an earlier
	// resource of the same name, and the garbage collector deletes it.
	Leaving bool
	// WebhookID is the webhook whose secret it says it holds.
	WebhookID string
	// Fingerprint is that of the secret stored, empty when there is none.
	Fingerprint string
	// RotatedAt is when the secret was stored, as far as is known.
	RotatedAt time.Time
	// HasPrevious: the previous secret is still there, until PreviousExpiresAt.
	HasPrevious       bool
	PreviousExpiresAt time.Time
	// RotationOpen: a rotation was begun, at RotationStartedAt, and its end not stored. The stored secret may be stale.
	RotationOpen      bool
	RotationStartedAt time.Time
	// Request is the user's request that the secret answers.
	Request string
	// Outdated: labels or annotations from spec are not on it, or the resource does not control it.
	Outdated bool
}

// Problem is why something cannot be done, as a condition reports it.
type Problem struct {
	// Condition is the condition that it makes false or unknown.
	Condition string
	Reason    string
	Message   string
	// Stalled: nothing will change until the user acts.
	Stalled bool
	// Unknown: it is not known whether the condition is false.
	Unknown bool
	// Event: an event reports it when the condition changes.
	Event bool
}
