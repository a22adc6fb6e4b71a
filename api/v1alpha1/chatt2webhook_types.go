package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EventType is the kind of event that the Hub delivers to a webhook, in the Hub's words.
// +kubebuilder:validation:Enum=Message;MessageStatus
type EventType string

// The event types of the Hub.
const (
	EventTypeMessage       EventType = "Message"
	EventTypeMessageStatus EventType = "MessageStatus"
)

// AuthenticationProtocol is how the Hub authenticates itself at the endpoint, in the Hub's words.
// +kubebuilder:validation:Enum=NoAuthentication;Oauth20;PasswordAuthentication;AWSSignatureV4;JWT;JWTExchange
type AuthenticationProtocol string

// The authentication protocols of the Hub.
const (
	NoAuthentication       AuthenticationProtocol = "NoAuthentication"
	Oauth20                AuthenticationProtocol = "Oauth20"
	PasswordAuthentication AuthenticationProtocol = "PasswordAuthentication"
	AWSSignatureV4         AuthenticationProtocol = "AWSSignatureV4"
	JWT                    AuthenticationProtocol = "JWT"
	JWTExchange            AuthenticationProtocol = "JWTExchange"
)

// AdoptionPolicy says what happens when the Hub already has a webhook like the one declared.
// +kubebuilder:validation:Enum=IfMatching;Never
type AdoptionPolicy string

const (
	// AdoptIfMatching adopts the one webhook with the same label, endpoint and event type that nothing else claims.
	AdoptIfMatching AdoptionPolicy = "IfMatching"
	// AdoptNever stalls instead of adopting, so that no event is delivered twice.
	AdoptNever AdoptionPolicy = "Never"
)

// DeletionPolicy says what becomes of the webhook on the Hub when the resource is deleted.
// +kubebuilder:validation:Enum=Delete;Retain
type DeletionPolicy string

const (
	// DeletionDelete deletes the webhook on the Hub before the resource goes.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionRetain leaves the webhook on the Hub as it is.
	DeletionRetain DeletionPolicy = "Retain"
)

// ReadyWhen says what the condition Ready waits for.
// +kubebuilder:validation:Enum=Verified;Registered
type ReadyWhen string

const (
	// ReadyWhenVerified makes Ready wait until the Hub has verified the endpoint.
	ReadyWhenVerified ReadyWhen = "Verified"
	// ReadyWhenRegistered makes Ready wait for the registration only.
	ReadyWhenRegistered ReadyWhen = "Registered"
)

// Chatt2WebhookSpec is the desired state of a webhook on the Hub.
// +kubebuilder:validation:XValidation:rule="!has(self.signingSecret) || self.requiresSignature",message="may only be set together with `requiresSignature: true`; set that, or remove signingSecret",fieldPath=".signingSecret"
// +kubebuilder:validation:XValidation:rule="!has(self.signingSecret) || !has(self.signingSecret.name) || self.signingSecret.name != self.apiKeySecretRef.name",message="must not be the Secret of apiKeySecretRef; choose another name",fieldPath=".signingSecret.name"
type Chatt2WebhookSpec struct {
	// label is the name of the webhook as the Hub shows it. Together with endpoint and eventType it is what an
	// existing webhook is recognised by.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'\p{Cc}')`,message="must not contain control characters such as tabs or line breaks"
	Label string `json:"label,omitempty"`

	// endpoint is the URL that the Hub delivers events to: https, a host, no user info and no fragment.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule=`self.startsWith('https://') && isURL(self) && url(self).getHostname() != ''`,message="must be an absolute URL with the scheme https and a host, such as https://example.com/hook"
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'^https://[^/?#]*@')`,message="must not contain user info; remove the part before the @ and send credentials in `headers` with valueFrom.secretKeyRef"
	// +kubebuilder:validation:XValidation:rule=`!self.contains('#')`,message="must not contain a fragment; remove the # and what follows it"
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[!-~]*$')`,message="must be printable ASCII without spaces; write international host names in punycode (xn--...) and percent-encode other characters"
	// +kubebuilder:validation:XValidation:rule=`!self.startsWith('https://') || !isURL(self) || self.matches(r'^https://([^/?#]*@)?(\[[^/?#]*\]|[^:/?#]*)(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?([/?#]|$)')`,message="must have a port between 1 and 65535, or none"
	Endpoint string `json:"endpoint,omitempty"`

	// eventType is the kind of event that is delivered.
	// +required
	EventType EventType `json:"eventType,omitempty"`

	// authenticationProtocol is how the Hub authenticates itself at the endpoint; it is passed through to the Hub.
	// +optional
	// +default="NoAuthentication"
	AuthenticationProtocol AuthenticationProtocol `json:"authenticationProtocol,omitempty"`

	// scope is passed through to the Hub; some authentication protocols use it.
	// +optional
	// +nullable
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'\p{Cc}')`,message="must not contain control characters such as tabs or line breaks"
	Scope *string `json:"scope,omitempty"`

	// headers are sent by the Hub with every delivery and with the verification request. The Hub never shows them
	// again: they are sent anew whenever this list, or a Secret or ConfigMap that it refers to, changes.
	// +optional
	// +listType=map
	// +listMapKey=key
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self.all(h, self.exists_one(o, o.key.lowerAscii() == h.key.lowerAscii()))",message="must not name a header twice; header names do not differ by case"
	Headers []Header `json:"headers,omitempty"`

	// apiKeySecretRef names the Secret in the namespace of this resource that holds the API key of the Application.
	// +required
	APIKeySecretRef APIKeySecretReference `json:"apiKeySecretRef,omitzero"`

	// requiresSignature makes the Hub sign each delivery with a secret that is stored in a Secret beside this resource.
	// +optional
	// +default=false
	RequiresSignature bool `json:"requiresSignature,omitempty"`

	// signingSecret says where the signing secret is stored and when it is rotated.
	// +optional
	SigningSecret *SigningSecret `json:"signingSecret,omitempty"`

	// adoption says what happens when the Hub already has a webhook like this one.
	// +optional
	// +default={}
	Adoption Adoption `json:"adoption,omitzero"`

	// deletionPolicy says what becomes of the webhook on the Hub when this resource is deleted.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// readyWhen says what the condition Ready waits for: that the Hub has verified the endpoint, or only that the
	// webhook is registered.
	// +optional
	// +default="Verified"
	ReadyWhen ReadyWhen `json:"readyWhen,omitempty"`

	// suspend stops every call to the Hub for this resource but those that its deletion needs.
	// +optional
	// +default=false
	Suspend bool `json:"suspend,omitempty"`
}

// Header is one HTTP header that the Hub sends to the endpoint.
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.valueFrom)",message="must have exactly one of value and valueFrom"
type Header struct {
	// key is the name of the header.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule=`self.matches(r"^[-!#$%&'*+.^_\x60|~0-9A-Za-z]+$")`,message="must be an HTTP header name: letters, digits and hyphens, such as X-Webhook-Secret"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['host','connection','keep-alive','proxy-connection','te','trailer','transfer-encoding','upgrade','x-validation-token','x-hub-signature']) && !self.lowerAscii().startsWith('content-')",message="must not be a header that HTTP or the Hub itself sets (Host, Connection, Transfer-Encoding, Content-*, X-Validation-Token, X-hub-Signature and the like); choose another name"
	Key string `json:"key,omitempty"`

	// value is the value of the header, in clear text.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'\p{Cc}')`,message="must not contain control characters such as tabs or line breaks"
	Value *string `json:"value,omitempty"`

	// valueFrom takes the value of the header from a Secret or a ConfigMap.
	// +optional
	ValueFrom *HeaderSource `json:"valueFrom,omitempty"`
}

// HeaderSource is where the value of a header comes from.
// +kubebuilder:validation:XValidation:rule="has(self.secretKeyRef) != has(self.configMapKeyRef)",message="must have exactly one of secretKeyRef and configMapKeyRef"
type HeaderSource struct {
	// secretKeyRef takes the value from a key of a Secret in the namespace of this resource.
	// +optional
	SecretKeyRef *KeyReference `json:"secretKeyRef,omitempty"`

	// configMapKeyRef takes the value from a key of a ConfigMap in the namespace of this resource.
	// +optional
	ConfigMapKeyRef *KeyReference `json:"configMapKeyRef,omitempty"`
}

// KeyReference names a key of a Secret or a ConfigMap in the namespace of the resource.
type KeyReference struct {
	// name is the name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be an object name: lower-case letters, digits, hyphens and dots"
	Name string `json:"name,omitempty"`

	// key is the key in the data of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[-._a-zA-Z0-9]+$')`,message="must be a data key: letters, digits, hyphens, underscores and dots"
	Key string `json:"key,omitempty"`
}

// APIKeySecretReference names the Secret that holds an Application's API key.
type APIKeySecretReference struct {
	// name is the name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be an object name: lower-case letters, digits, hyphens and dots"
	Name string `json:"name,omitempty"`

	// key is the key in the data of the Secret.
	// +optional
	// +default="apiKey"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[-._a-zA-Z0-9]+$')`,message="must be a data key: letters, digits, hyphens, underscores and dots"
	Key string `json:"key,omitempty"`
}

// SigningSecret says where the signing secret is stored and when it is rotated.
type SigningSecret struct {
	// name is the name of the Secret; by default the name of this resource with the suffix -signing. A Secret of
	// that name that this resource does not control is never touched.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be an object name: lower-case letters, digits, hyphens and dots"
	Name string `json:"name,omitempty"`

	// rotation says when the secret is rotated and how long the previous one stays beside it.
	// +optional
	// +default={}
	Rotation Rotation `json:"rotation,omitzero"`

	// template is what is put on the Secret besides the operator's own metadata.
	// +optional
	Template *SecretTemplate `json:"template,omitempty"`
}

// Rotation says when a signing secret is rotated. Durations are written as numbers with the units h, m and s,
// such as 720h or 1h30m.
// +kubebuilder:validation:XValidation:rule=`!has(self.interval) || [self.interval, self.overlap].exists(d, size(d) == 0 || !d.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$')) || duration(self.overlap) < duration(self.interval)`,message="must be shorter than interval (overlap is 10m when it is not set)",fieldPath=".overlap"
type Rotation struct {
	// interval is the time between two rotations, at least 10m; without it the secret is rotated on request only.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`size(self) > 0 && self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$')`,message="must be a duration in whole hours (at most 6 digits), minutes and seconds, such as 720h or 1h30m"
	// +kubebuilder:validation:XValidation:rule=`size(self) == 0 || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') || duration(self) >= duration('10m')`,message="must be at least 10m"
	Interval string `json:"interval,omitempty"`

	// overlap is how long the previous secret stays in the Secret after a rotation. Another rotation waits for its end.
	// +optional
	// +default="10m"
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule=`size(self) > 0 && self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$')`,message="must be a duration in whole hours (at most 6 digits), minutes and seconds, such as 720h or 1h30m"
	Overlap string `json:"overlap,omitempty"`
}

// SecretTemplate is metadata for the signing Secret.
type SecretTemplate struct {
	// metadata is merged into the metadata of the Secret.
	// +optional
	Metadata SecretTemplateMetadata `json:"metadata,omitzero"`
}

// SecretTemplateMetadata is the metadata that a user may put on the signing Secret.
type SecretTemplateMetadata struct {
	// labels are put on the Secret.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && !format.qualifiedName().validate(k).hasValue() && !format.labelValue().validate(self[k]).hasValue())",message="must have valid label names and values"
	// +kubebuilder:validation:XValidation:rule="self.all(k, k != 'app.kubernetes.io/managed-by' && !k.startsWith('hub.chatt2.me/'))",message="must not name app.kubernetes.io/managed-by or a label of hub.chatt2.me, which are the operator's own"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations are put on the Secret.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && !format.qualifiedName().validate(k.lowerAscii()).hasValue())",message="must have valid annotation names"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('hub.chatt2.me/'))",message="must not name an annotation of hub.chatt2.me, which are the operator's own"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`
}

// LabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
type LabelValue string

// AnnotationValue is the value of an annotation.
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// Adoption says what happens when the Hub already has a webhook like the one declared.
// +kubebuilder:validation:XValidation:rule="!has(self.webhookID) || self.policy != 'Never'",message="may not be set with the policy 'Never'; set policy 'IfMatching' or remove webhookID",fieldPath=".webhookID"
type Adoption struct {
	// policy says whether a webhook with the same label, endpoint and event type that nothing else claims is adopted.
	// +optional
	// +default="IfMatching"
	Policy AdoptionPolicy `json:"policy,omitempty"`

	// webhookID names the one webhook on the Hub to adopt, whatever it looks like now.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')`,message="must be the id of a webhook on the Hub, a UUID in lower case"
	WebhookID *string `json:"webhookID,omitempty"`
}

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

	// apiKeyHash is the beginning of the SHA-256 of the API key that the webhook was last seen with. It tells a
	// webhook that was deleted on the Hub from an API key that was exchanged for another Application's.
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
	// They are not sent again until spec or the Hub changes.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=64
	Ignored []string `json:"ignored,omitempty"`
}

// Chatt2Webhook is a webhook of an Application on the Hub Chatt2.me.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=c2w,categories=chatt2
// +kubebuilder:selectablefield:JSONPath=`.spec.eventType`
// +kubebuilder:selectablefield:JSONPath=`.spec.endpoint`
// +kubebuilder:selectablefield:JSONPath=`.status.webhookID`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Verified",type=boolean,JSONPath=`.status.isVerified`
// +kubebuilder:printcolumn:name="Event",type=string,JSONPath=`.spec.eventType`
// +kubebuilder:printcolumn:name="Endpoint",type=string,JSONPath=`.spec.endpoint`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Label",type=string,JSONPath=`.spec.label`,priority=1
// +kubebuilder:printcolumn:name="Webhook-ID",type=string,JSONPath=`.status.webhookID`,priority=1
// +kubebuilder:printcolumn:name="Errors",type=integer,JSONPath=`.status.numberOfErrors`,priority=1
// +kubebuilder:printcolumn:name="Rotated",type=date,JSONPath=`.status.signingSecret.rotatedAt`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 245 || !self.spec.requiresSignature || (has(self.spec.signingSecret) && has(self.spec.signingSecret.name))",message="must be set when metadata.name is longer than 245 characters, for `<metadata.name>-signing` would be too long",fieldPath=".spec.signingSecret.name"
// +kubebuilder:validation:XValidation:rule="!self.spec.requiresSignature || (has(self.spec.signingSecret) && has(self.spec.signingSecret.name)) || self.spec.apiKeySecretRef.name != self.metadata.name + '-signing'",message="must not be the Secret that the signing secret goes to (`<metadata.name>-signing`); choose another name or set signingSecret.name",fieldPath=".spec.apiKeySecretRef.name"
type Chatt2Webhook struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state of the webhook.
	// +required
	Spec Chatt2WebhookSpec `json:"spec,omitzero"`

	// status is what the operator last saw of the webhook.
	// +optional
	// +default={"observedGeneration":-1,"isVerified":false,"numberOfErrors":0,"conditions":[{"type":"Ready","status":"Unknown","reason":"Pending","message":"Waiting for the operator to look at this resource","lastTransitionTime":"1970-01-01T00:00:00Z"}]}
	Status Chatt2WebhookStatus `json:"status,omitzero"`
}

// Chatt2WebhookList is a list of Chatt2Webhook.
// +kubebuilder:object:root=true
type Chatt2WebhookList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Chatt2Webhook `json:"items"`
}

// SigningSecretName is the name of the Secret that holds the signing secret.
func (w *Chatt2Webhook) SigningSecretName() string {
	if s := w.Spec.SigningSecret; s != nil && s.Name != "" {
		return s.Name
	}
	return w.Name + "-signing"
}

// SecretNames are the names of all Secrets that spec refers to, the signing Secret not among them.
func (w *Chatt2Webhook) SecretNames() []string {
	names := []string{w.Spec.APIKeySecretRef.Name}
	for _, h := range w.Spec.Headers {
		if h.ValueFrom != nil && h.ValueFrom.SecretKeyRef != nil {
			names = append(names, h.ValueFrom.SecretKeyRef.Name)
		}
	}
	return names
}

// ConfigMapNames are the names of all ConfigMaps that spec refers to.
func (w *Chatt2Webhook) ConfigMapNames() []string {
	var names []string
	for _, h := range w.Spec.Headers {
		if h.ValueFrom != nil && h.ValueFrom.ConfigMapKeyRef != nil {
			names = append(names, h.ValueFrom.ConfigMapKeyRef.Name)
		}
	}
	return names
}

// IsReady tells whether the condition Ready is true for the spec as it is.
func (w *Chatt2Webhook) IsReady() bool {
	ready := meta.FindStatusCondition(w.Status.Conditions, ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == w.Generation
}
