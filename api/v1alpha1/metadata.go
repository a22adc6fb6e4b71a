package v1alpha1

// Finalizers.
const (
	// WebhookFinalizer keeps a Chatt2Webhook until its webhook is gone from the Hub.
	WebhookFinalizer = "hub.chatt2.me/webhook"
	// APIKeyFinalizer keeps a Secret with an API key while a Chatt2Webhook refers to it.
	APIKeyFinalizer = "hub.chatt2.me/api-key-in-use"
)

// Annotations of a Chatt2Webhook by which a user acts.
const (
	// AnnotationReconcileRequestedAt makes the operator look at the Hub, and verify, once for each new value.
	AnnotationReconcileRequestedAt = "hub.chatt2.me/reconcile-requested-at"
	// AnnotationRotateRequestedAt makes the operator rotate the signing secret once for each new value.
	AnnotationRotateRequestedAt = "hub.chatt2.me/rotate-requested-at"
	// AnnotationForceOrphan names the id of the webhook that the operator shall forget without deleting it.
	AnnotationForceOrphan = "hub.chatt2.me/force-orphan"
)

// Annotations of a Chatt2Webhook that the operator keeps for itself.
const (
	// AnnotationCreateStartedAt is written before a webhook is registered: from then on there may be one.
	AnnotationCreateStartedAt = "hub.chatt2.me/create-started-at"
	// AnnotationCreateRetriedAt is written before a registration is repeated whose first answer was lost: from then on
	// there may be two, should the first have been carried out late.
	AnnotationCreateRetriedAt = "hub.chatt2.me/create-retried-at"
	// AnnotationCreateAttempts is what was registered, or tried to be, since AnnotationCreateStartedAt, as a JSON list
	// of label, endpoint and eventType: spec may say something else by the time that the webhook shows.
	AnnotationCreateAttempts = "hub.chatt2.me/create-attempts"
)

// AnnotationAllowAsHeader on a Secret allows, with the value "true", that a header takes its value from it, where the
// operator runs with --header-secrets-need-opt-in.
const AnnotationAllowAsHeader = "hub.chatt2.me/allow-as-header"

// The label and annotations of the signing Secret, and the keys of its data.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "chatt2-webhook-operator"

	// AnnotationWebhookID is the id of the webhook whose signing secret this is.
	AnnotationWebhookID = "hub.chatt2.me/webhook-id"
	// AnnotationRotatedAt is when the current secret was stored.
	AnnotationRotatedAt = "hub.chatt2.me/rotated-at"
	// AnnotationPreviousExpiresAt is when the previous secret is removed.
	AnnotationPreviousExpiresAt = "hub.chatt2.me/previous-expires-at"
	// AnnotationRotationStartedAt is there while the stored secret may not be the one the Hub signs with.
	AnnotationRotationStartedAt = "hub.chatt2.me/rotation-started-at"
	// AnnotationRotationRequest is the request of AnnotationRotateRequestedAt that the current secret answers.
	AnnotationRotationRequest = "hub.chatt2.me/rotation-request"
	// AnnotationTemplateKeys lists the keys of the labels and annotations that spec.signingSecret.template had when the
	// Secret was last written, as JSON. A key that has left the template since is removed from the Secret.
	AnnotationTemplateKeys = "hub.chatt2.me/template-keys"

	// SecretKeyCurrent is the data key of the signing secret.
	SecretKeyCurrent = "secret"
	// SecretKeyPrevious is the data key of the previous signing secret, inside the overlap only.
	SecretKeyPrevious = "previousSecret"
)
