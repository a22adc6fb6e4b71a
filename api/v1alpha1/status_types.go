package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Chatt2WebhookStatus is what the operator last saw of the webhook.
type Chatt2WebhookStatus struct {
	// conditions are Ready, Synced, Verified and, with requiresSignature, SigningSecretReady. Reconciling and Stalled
	// are present only while they are true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about; -1 until the operator has looked.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// webhookID is the id of the webhook on the Hub.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	WebhookID string `json:"webhookID,omitempty"`

	// applicationID is the id of the Hub Application that the webhook belongs to.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ApplicationID string `json:"applicationID,omitempty"`

	// active is whether the Hub delivers to the webhook.
	// +optional
	Active *bool `json:"active,omitempty"`

	// isVerified is whether the Hub has verified the endpoint.
	// +optional
	IsVerified bool `json:"isVerified"`

	// verifiedAt is when the Hub verified the endpoint.
	// +optional
	VerifiedAt *metav1.Time `json:"verifiedAt,omitempty"`

	// numberOfErrors is how many deliveries have failed, as the Hub counts them.
	// +optional
	NumberOfErrors int64 `json:"numberOfErrors"`

	// createdAt is when the Hub registered the webhook.
	// +optional
	CreatedAt *metav1.Time `json:"createdAt,omitempty"`

	// signingSecret is about the Secret that holds the signing secret.
	// +optional
	SigningSecret *SigningSecretStatus `json:"signingSecret,omitempty"`

	// applied is what was last sent to the Hub, and taken by it, of the fields that it may not show again.
	// +optional
	Applied *AppliedStatus `json:"applied,omitempty"`

	// apiKeyHash is the beginning of the SHA-256 of the Hub's URL and the API key that the webhook was last seen with.
	// It tells a webhook that was deleted on the Hub from a key that was exchanged for another Application's, and from
	// another Hub.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	APIKeyHash string `json:"apiKeyHash,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation hub.chatt2.me/reconcile-requested-at that was acted
	// on.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// lastHandledRotateAt is the last value of the annotation hub.chatt2.me/rotate-requested-at that was acted on.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledRotateAt string `json:"lastHandledRotateAt,omitempty"`
}

// SigningSecretStatus is about the Secret that holds the signing secret.
type SigningSecretStatus struct {
	// name is the name of the Secret.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// rotatedAt is when the signing secret was last exchanged.
	// +optional
	RotatedAt *metav1.Time `json:"rotatedAt,omitempty"`

	// nextRotationAt is when the signing secret is due to be exchanged.
	// +optional
	NextRotationAt *metav1.Time `json:"nextRotationAt,omitempty"`

	// fingerprint is the SHA-256 of the webhook id and the signing secret, which shows whether the Secret still holds
	// what was stored in it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Fingerprint string `json:"fingerprint,omitempty"`
}

// AppliedStatus is what was last sent to the Hub, and taken by it, of the fields that it may not show again.
type AppliedStatus struct {
	// headersHash is a hash over the list of headers in spec and the UID and resourceVersion of each of their sources,
	// never over values.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	HeadersHash string `json:"headersHash,omitempty"`

	// label is the label that was last sent.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Label string `json:"label,omitempty"`

	// scope is the scope that was last sent.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Scope string `json:"scope,omitempty"`

	// ignored are the fields that the Hub answered an update with success for, or refused alone, and did not change.
	// Each is written as its name and a hash of spec and of the value that the Hub shows. It is not sent again until
	// spec changes or the Hub shows another value.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=64
	Ignored []string `json:"ignored,omitempty"`
}
