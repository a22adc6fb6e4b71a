package controller

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestOfASecretOnlyTheAPIKeyStaysInMemory(t *testing.T) {
	const secrets, size = 100, 700 << 10
	var cache apiKeyCache
	before := heap()
	for i := range secrets {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(i)}, Data: map[string][]byte{
			"apiKey": []byte("key"), "other": bytes.Repeat([]byte("x"), size),
		}}
		for _, key := range []string{"apiKey", "other"} {
			cache.keep(types.NamespacedName{Name: s.Name}, key, &metav1.PartialObjectMetadata{ObjectMeta: s.ObjectMeta},
				parseAPIKey(s, key), time.Now())
		}
	}
	if kept := heap() - before; kept > 1<<20 {
		t.Errorf("%d bytes are kept of %d Secrets of %d bytes", kept, secrets, size)
	}
	runtime.KeepAlive(&cache)
}

func TestAnAPIKeyIsNoLongerThanAHeaderMayBe(t *testing.T) {
	for length, valid := range map[int]bool{1: true, maxAPIKeyLength: true, maxAPIKeyLength + 1: false} {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "api-key"}, Data: map[string][]byte{
			"apiKey": bytes.Repeat([]byte("x"), length),
		}}
		got := parseAPIKey(s, "apiKey").problem
		switch {
		case valid && got != nil:
			t.Errorf("%d bytes: %s", length, got.Message)
		case !valid && (got == nil || got.Reason != v1alpha1.ReasonAPIKeyInvalid || !got.Stalled ||
			!strings.Contains(got.Message, "4097 bytes") || strings.Contains(got.Message, "xxx")):
			t.Errorf("%d bytes: %+v", length, got)
		}
	}
}

// failingList is an API server that cannot list.
type failingList struct {
	client.Reader
	err error
}

func (f failingList) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return f.err
}

func TestWithoutTheCustomResourceDefinitionNoResourceReferencesASecret(t *testing.T) {
	resource := schema.GroupResource{Group: "hub.chatt2.me", Resource: "chatt2webhooks"}
	for err, none := range map[error]bool{
		apierrors.NewNotFound(resource, ""):                    true,
		&meta.NoResourceMatchError{}:                           true,
		&meta.NoKindMatchError{}:                               true,
		apierrors.NewServiceUnavailable("no leader"):           false,
		apierrors.NewForbidden(resource, "", context.Canceled): false,
	} {
		var u usages
		found, got := u.of(t.Context(), failingList{err: err}, "shop", time.Now)
		if (got == nil) != none || len(found.references) > 0 {
			t.Errorf("%v: %v, %v", err, found, got)
		}
	}
}
