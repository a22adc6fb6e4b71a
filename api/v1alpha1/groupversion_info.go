// Package v1alpha1 is the API that users of the Chatt2Webhook operator write: the resource, its validation,
// its conditions with their reasons, and the annotations that act.
// +kubebuilder:object:generate=true
// +groupName=hub.chatt2.me
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is the group and version of this API.
	GroupVersion = schema.GroupVersion{Group: "hub.chatt2.me", Version: "v1alpha1"}

	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds the types of this API to a scheme.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Chatt2Webhook{}, &Chatt2WebhookList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
