package store

import (
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apivalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func completeSecret(s *corev1.Secret) {
	if s.Type == "" {
		s.Type = corev1.SecretTypeOpaque
	}
	if s.Data == nil && len(s.StringData) > 0 {
		s.Data = map[string][]byte{}
	}
	for name, value := range s.StringData {
		s.Data[name] = []byte(value)
	}
	s.StringData = nil
	for name, value := range s.Data {
		if value == nil {
			s.Data[name] = []byte{}
		}
	}
}

// validateFinalizers wants names of others than Kubernetes itself to be qualified by a domain.
func validateFinalizers(names []string) field.ErrorList {
	var errs field.ErrorList
	for i, name := range names {
		switch name {
		case metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents, string(corev1.FinalizerKubernetes):
			continue
		}
		path := field.NewPath("metadata", "finalizers").Index(i)
		for _, message := range apivalidation.IsQualifiedName(name) {
			errs = append(errs, field.Invalid(path, name, message))
		}
		if !strings.Contains(name, "/") {
			errs = append(errs, field.Invalid(path, name,
				"name is neither a standard finalizer name nor is it fully qualified"))
		}
	}
	return errs
}

var data = field.NewPath("data")

func validateSecret(s, old *corev1.Secret) field.ErrorList {
	var errs field.ErrorList
	size := 0
	for name, value := range s.Data {
		errs = append(errs, validateKey(data, name)...)
		size += len(value)
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(data, "", corev1.MaxSecretSize))
	}
	if s.Type == corev1.SecretTypeTLS {
		for _, name := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
			if _, ok := s.Data[name]; !ok {
				errs = append(errs, field.Required(data.Key(name), ""))
			}
		}
	}
	if old == nil {
		return errs
	}
	errs = append(errs, validation.ValidateImmutableField(s.Type, old.Type, field.NewPath("type"))...)
	if isTrue(old.Immutable) {
		// No data is not the same as empty data, here and at the API server.
		errs = append(errs, unless(isTrue(s.Immutable), "immutable")...)
		errs = append(errs, unless(reflect.DeepEqual(s.Data, old.Data), "data")...)
	}
	return errs
}

func validateConfigMap(c, old *corev1.ConfigMap) field.ErrorList {
	var errs field.ErrorList
	size := 0
	for name, value := range c.Data {
		errs = append(errs, validateKey(data, name)...)
		if _, twice := c.BinaryData[name]; twice {
			errs = append(errs, field.Invalid(data.Key(name), name, "duplicate of key present in binaryData"))
		}
		size += len(value)
	}
	for name, value := range c.BinaryData {
		errs = append(errs, validateKey(field.NewPath("binaryData"), name)...)
		size += len(value)
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(field.NewPath(""), "", corev1.MaxSecretSize))
	}
	if old == nil {
		return errs
	}
	if isTrue(old.Immutable) {
		errs = append(errs, unless(isTrue(c.Immutable), "immutable")...)
		errs = append(errs, unless(reflect.DeepEqual(c.Data, old.Data), "data")...)
		errs = append(errs, unless(reflect.DeepEqual(c.BinaryData, old.BinaryData), "binaryData")...)
	}
	return errs
}

func validateKey(path *field.Path, name string) field.ErrorList {
	var errs field.ErrorList
	for _, message := range apivalidation.IsConfigMapKey(name) {
		errs = append(errs, field.Invalid(path.Key(name), name, message))
	}
	return errs
}

func isTrue(b *bool) bool { return b != nil && *b }

// unless refuses the change of a field of an immutable object.
func unless(ok bool, name string) field.ErrorList {
	if ok {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath(name), "field is immutable when `immutable` is set")}
}
