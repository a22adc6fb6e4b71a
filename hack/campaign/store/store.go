// Package store is a Kubernetes API server in memory, for campaigns that run the real reconciler step by step. It keeps
// every version of every object, so that a reader can be shown the past, and it has no goroutine, no clock and no
// chance of its own: the same calls give the same results. What it answers is held to a real API server by
// differential tests.
//
// It is not safe for use by several goroutines at once. Server-side apply, dry runs but of a create, field managers
// (managedFields is always empty), field validation and paged lists are not there.
package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Options say what a store holds.
type Options struct {
	// Scheme knows the Go types of the kinds.
	Scheme *runtime.Scheme
	// CRDs are the custom resources besides Secret, ConfigMap, Namespace and Event. The storage version is served.
	CRDs []*apiextensionsv1.CustomResourceDefinition
	// Now is the clock.
	Now func() time.Time
}

// Call is a request to the API server: a write, or a read that no cache answers.
type Call struct {
	// Verb is get, list, create, update, patch, delete or deletecollection.
	Verb string
	// Kind is the kind of the object.
	Kind schema.GroupVersionKind
	// Key is the namespace and name; without a name for list and deletecollection.
	Key client.ObjectKey
	// Subresource is status or empty.
	Subresource string
}

// Store holds objects. New makes one.
type Store struct {
	// Hook, unless nil, is called for every Call of every client. It carries the call out by next, once, never or
	// later, and what it returns is what the caller sees: an error without next is a request that was lost, an error
	// after next an answer that was lost. When it returns nil, next must have succeeded.
	Hook func(ctx context.Context, call Call, next func() error) error
	// Admission, unless nil, is what admission policies do: it is called with the object of every create, update and
	// patch before that is validated and stored, may change the object, and refuses the write by an error.
	Admission func(call Call, object client.Object) error

	scheme   *runtime.Scheme
	now      func() time.Time
	mapper   *meta.DefaultRESTMapper
	kinds    map[schema.GroupKind]*kind
	objects  map[key][]version
	log      []change
	revision int64
	made     int // uids and generated names
}

type key struct {
	kind schema.GroupKind
	client.ObjectKey
}

// version is one state of an object. No bytes: it is gone.
type version struct {
	revision int64
	// stored is what an update is compared with; served has the defaults and the resourceVersion.
	stored, served []byte
}

type change struct {
	revision int64
	key      key
}

// New makes an empty store. Even the namespaces have to be created.
func New(options Options) (*Store, error) {
	s := &Store{
		scheme: options.Scheme, now: options.Now, mapper: meta.NewDefaultRESTMapper(nil),
		kinds: map[schema.GroupKind]*kind{}, objects: map[key][]version{},
	}
	kinds := coreKinds()
	for _, crd := range options.CRDs {
		k, err := customKind(crd)
		if err != nil {
			return nil, fmt.Errorf("CustomResourceDefinition %s: %w", crd.Name, err)
		}
		kinds = append(kinds, k)
	}
	for _, k := range kinds {
		s.kinds[k.gvk.GroupKind()] = k
		scope := meta.RESTScopeRoot
		if k.namespaced {
			scope = meta.RESTScopeNamespace
		}
		s.mapper.AddSpecific(k.gvk, k.gvk.GroupVersion().WithResource(k.resource),
			k.gvk.GroupVersion().WithResource(k.resource), scope)
	}
	return s, nil
}

// Empty makes an empty store of the same kinds with a clock of its own, in much less time than New.
func (s *Store) Empty(now func() time.Time) *Store {
	empty := &Store{
		scheme: s.scheme, now: now, mapper: s.mapper, kinds: map[schema.GroupKind]*kind{}, objects: map[key][]version{},
	}
	for name, k := range s.kinds {
		same := *k
		same.changes = nil
		empty.kinds[name] = &same
	}
	return empty
}

// review has the admission policies change or refuse an object that is about to be written.
func (s *Store) review(verb string, t target, object client.Object) error {
	if s.Admission == nil {
		return nil
	}
	return s.Admission(Call{Verb: verb, Kind: t.gvk, Key: t.key, Subresource: t.subresource}, object)
}

// Revision is that of the last write; each write has the next one.
func (s *Store) Revision() int64 { return s.revision }

// kindOf finds the kind of an object or list.
func (s *Store) kindOf(object runtime.Object) (*kind, error) {
	gvk, err := apiutil.GVKForObject(object, s.scheme)
	if err != nil {
		return nil, err
	}
	if _, ok := object.(client.ObjectList); ok {
		gvk.Kind = trimList(gvk.Kind)
	}
	if k, ok := s.kinds[gvk.GroupKind()]; ok && k.gvk == gvk {
		return k, nil
	}
	return nil, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
}

// call asks the hook, if there is one, to carry out a request.
func (s *Store) call(ctx context.Context, call Call, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Hook == nil {
		return do()
	}
	done := false
	err := s.Hook(ctx, call, func() error {
		err := do()
		done = err == nil
		return err
	})
	if err == nil && !done {
		return errors.New("the hook says that a request succeeded which it did not carry out")
	}
	return err
}

// at is the version of an object at a revision, nil when there was no object.
func (s *Store) at(of key, revision int64) *version {
	history := s.objects[of]
	i, found := slices.BinarySearchFunc(history, revision, func(v version, r int64) int { return int(v.revision - r) })
	if !found {
		i--
	}
	if i < 0 || history[i].served == nil {
		return nil
	}
	return &history[i]
}

// commit stores an object unless it is as it was, and returns it as it is served.
func (s *Store) commit(of key, object client.Object) (client.Object, error) {
	k := s.kinds[of.kind]
	object.SetResourceVersion("")
	stored, err := json.Marshal(object)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	before := s.at(of, s.revision)
	if before != nil && bytes.Equal(before.stored, stored) {
		return k.decode(before.served)
	}
	out, err := k.decode(stored)
	if err != nil {
		return nil, err
	}
	out.SetResourceVersion(strconv.FormatInt(s.revision+1, 10))
	served, err := json.Marshal(out)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	s.append(of, stored, served)
	return out, nil
}

// remove ends an object.
func (s *Store) remove(of key) { s.append(of, nil, nil) }

func (s *Store) append(of key, stored, served []byte) {
	s.revision++
	s.objects[of] = append(s.objects[of], version{s.revision, stored, served})
	s.log = append(s.log, change{s.revision, of})
	k := s.kinds[of.kind]
	k.changes = append(k.changes, s.revision)
}

// keys are those of the objects of a kind at a revision, in all namespaces or in one, by namespace and name.
func (s *Store) keys(k *kind, namespace string, revision int64) []key {
	var keys []key
	for of := range s.objects {
		if of.kind == k.gvk.GroupKind() && (namespace == "" || of.Namespace == namespace) && s.at(of, revision) != nil {
			keys = append(keys, of)
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}
