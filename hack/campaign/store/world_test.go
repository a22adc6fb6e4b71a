package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

var (
	shared *cluster.Cluster
	scheme = func() *runtime.Scheme {
		s := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
			if err := add(s); err != nil {
				panic(err)
			}
		}
		return s
	}()
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // or the client complains of warnings, which are as they should be
	os.Exit(cluster.Main(m, cluster.Options{}, func(c *cluster.Cluster) { shared = c }))
}

var (
	webhookKind   = v1alpha1.GroupVersion.WithKind("Chatt2Webhook")
	secretKind    = corev1.SchemeGroupVersion.WithKind("Secret")
	configMapKind = corev1.SchemeGroupVersion.WithKind("ConfigMap")
	kinds         = []schema.GroupVersionKind{webhookKind, secretKind, configMapKind}
)

// newStore is an empty store with a clock that stands still.
func newStore(tb testing.TB) *store.Store {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "crd", "bases", "hub.chatt2.me_chatt2webhooks.yaml"))
	if err != nil {
		tb.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(file, crd); err != nil {
		tb.Fatal(err)
	}
	s, err := store.New(store.Options{
		Scheme: scheme, CRDs: []*apiextensionsv1.CustomResourceDefinition{crd},
		Now: func() time.Time { return time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// world is a namespace of an API server, real or not, and what has been seen of the objects in it.
type world struct {
	client.Client
	namespace string
	// settle waits until the API server acts by what it was told last.
	settle func(context.Context) error
	seen   map[string][]*unstructured.Unstructured
	known  map[string]string
}

func newWorld(c client.Client, namespace string) *world {
	return &world{
		Client: c, namespace: namespace, settle: func(context.Context) error { return nil },
		seen: map[string][]*unstructured.Unstructured{}, known: map[string]string{},
	}
}

// base is how an object was when it was seen the given number of answers ago, and when it was not, its name alone.
func (w *world) base(kind schema.GroupVersionKind, name string, ago int) *unstructured.Unstructured {
	seen := w.seen[kind.Kind+"/"+name]
	if ago >= len(seen) {
		return w.named(kind, name)
	}
	return seen[len(seen)-1-ago].DeepCopy()
}

func (w *world) named(kind schema.GroupVersionKind, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	u.SetNamespace(w.namespace)
	u.SetName(name)
	return u
}

// saw remembers an answer and gives it back in words that are the same in every world.
func (w *world) saw(u *unstructured.Unstructured) string {
	at := u.GetKind() + "/" + u.GetName()
	w.seen[at] = append(w.seen[at], u.DeepCopy())
	return w.describe(u.Object)
}

// describe tells an object in JSON. Versions and UIDs are numbered as they are first seen; of times that the server
// sets, only that they are there.
func (w *world) describe(object map[string]any) string {
	object = runtime.DeepCopyJSON(object)
	if metadata, ok := object["metadata"].(map[string]any); ok {
		delete(metadata, "managedFields")
		for _, field := range []string{"uid", "resourceVersion"} {
			if value, ok := metadata[field].(string); ok {
				metadata[field] = w.number(field, value)
			}
		}
		for _, field := range []string{"creationTimestamp", "deletionTimestamp"} {
			if value, ok := metadata[field]; ok {
				metadata[field] = value != nil
			}
		}
	}
	told, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return string(told)
}

func (w *world) number(field, value string) string {
	if value == "" {
		return ""
	}
	at := field + " " + value
	if _, ok := w.known[at]; !ok {
		w.known[at] = fmt.Sprintf("%s-%d", field, len(w.known))
	}
	return w.known[at]
}

// complaint tells an error without what differs between worlds.
func complaint(err error) string {
	if err == nil {
		return "ok"
	}
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return "the client says " + strings.Join(strings.Fields(err.Error() + " . . .")[:3], " ")
	}
	s := status.Status()
	told := []string{fmt.Sprintf("%d %s", s.Code, s.Reason)}
	if s.Details != nil {
		for _, cause := range s.Details.Causes {
			told = append(told, fmt.Sprintf("%s %s", cause.Type, cause.Field))
		}
		slices.Sort(told[1:])
		told = slices.Compact(told)
	}
	return strings.Join(told, ", ")
}

// The forms in which a client holds an object.
const (
	typed = iota
	untyped
	metadata
)

// as gives an object another form.
func as(form int, u *unstructured.Unstructured) client.Object {
	switch form {
	case untyped:
		return u
	case metadata:
		partial := &metav1.PartialObjectMetadata{}
		convert(u.Object, partial)
		return partial
	}
	made, err := scheme.New(u.GroupVersionKind())
	if err != nil {
		panic(err)
	}
	convert(u.Object, made)
	object, _ := made.(client.Object)
	return object
}

func convert(fields map[string]any, into any) {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	// What a type cannot hold is left out, as it is by whoever programs with the type.
	if err := json.Unmarshal(text, into); err != nil {
		return
	}
}

// fieldsOf is an object of any form, of the given kind.
func fieldsOf(kind schema.GroupVersionKind, object client.Object) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	convert(map[string]any{}, u)
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	u.Object = map[string]any{}
	if err := json.Unmarshal(text, &u.Object); err != nil {
		panic(err)
	}
	u.SetGroupVersionKind(kind)
	return u
}
