package v1alpha1

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
	// metadata is merged into the metadata of the Secret. A key that is removed from the template is removed from the
	// Secret.
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
