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
	// +kubebuilder:validation:XValidation:rule=`self == '' || self.matches(r'[^\p{Z}\p{Cc}\x{FEFF}]')`,message="must not consist of spaces only; write the name that the Hub is to show"
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
	// +kubebuilder:validation:XValidation:rule=`!isURL(self) || !self.contains('\\')`,message="must not contain a backslash; write a slash, or %5C for a backslash in the path or query"
	// +kubebuilder:validation:XValidation:rule=`!self.startsWith('https://') || !isURL(self) || url(self).getHostname() == '' || !self.matches(r'^[!-~]*$') || self.matches(r'^https://([^/?#]*@)?(\[[0-9A-Fa-f:.]+\]|((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])|([0-9A-Za-z_-]+\.)*[A-Za-z_][0-9A-Za-z_-]*\.?)(:[0-9]*)?([/?#]|$)')`,message="must have a host that is a DNS name (letters, digits, hyphens and dots; international names in punycode, xn--...), an IPv4 address of four decimal numbers or an IPv6 address in brackets without a zone"
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

// IsReady reports whether the condition Ready is true for the spec as it is.
func (w *Chatt2Webhook) IsReady() bool {
	ready := meta.FindStatusCondition(w.Status.Conditions, ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == w.Generation
}
