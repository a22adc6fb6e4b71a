package controller

import (
	"context"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// usageTime is for how long one list of the resources of a namespace answers for all of its Secrets: thousands may
// become unused together.
const usageTime = time.Second

// usage is what the API server shows of the resources of a namespace.
type usage struct {
	// began and ended are the times of the list.
	began, ended time.Time
	// references are the resources by the Secret with their API key: their identity, deletionTimestamp and finalizers.
	references map[string][]v1alpha1.Chatt2Webhook
}

// usages are those of the namespaces that were listed within usageTime.
type usages map[string]usage

// of returns the usage of a namespace, from a list that ended within usageTime.
func (u *usages) of(ctx context.Context, live client.Reader, namespace string, now func() time.Time) (usage, error) {
	began := now()
	maps.DeleteFunc(*u, func(_ string, known usage) bool { return began.Sub(known.ended) >= usageTime })
	if known, ok := (*u)[namespace]; ok {
		return known, nil
	}
	var all v1alpha1.Chatt2WebhookList
	err := live.List(ctx, &all, client.InNamespace(namespace))
	// Without the CustomResourceDefinition there is no resource.
	if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
		return usage{}, err
	}
	listed := usage{began: began, ended: now(), references: map[string][]v1alpha1.Chatt2Webhook{}}
	for i := range all.Items {
		w := &all.Items[i]
		listed.references[w.Spec.APIKeySecretRef.Name] = append(listed.references[w.Spec.APIKeySecretRef.Name],
			v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{
				Namespace: w.Namespace, Name: w.Name, UID: w.UID, ResourceVersion: w.ResourceVersion,
				DeletionTimestamp: w.DeletionTimestamp, Finalizers: w.Finalizers,
			}})
	}
	if *u == nil {
		*u = usages{}
	}
	(*u)[namespace] = listed
	return listed, nil
}
