package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// connection is a client: it reads where it is told to, and writes to the store.
type connection struct {
	client.Reader
	store *Store
}

// Live is a client without a cache: it always reads the last version.
func (s *Store) Live() client.Client { return &connection{live{s}, s} }

func (c *connection) Scheme() *runtime.Scheme     { return c.store.scheme }
func (c *connection) RESTMapper() meta.RESTMapper { return c.store.mapper }
func (c *connection) GroupVersionKindFor(object runtime.Object) (schema.GroupVersionKind, error) {
	return apiutil.GVKForObject(object, c.store.scheme)
}

func (c *connection) IsObjectNamespaced(object runtime.Object) (bool, error) {
	return apiutil.IsObjectNamespaced(object, c.store.scheme, c.store.mapper)
}

// errUnsupported is what is asked of a store that it does not do.
var errUnsupported = errors.ErrUnsupported

func refuse(what string) error { return fmt.Errorf("%w: %s", errUnsupported, what) }

func (c *connection) Apply(context.Context, runtime.ApplyConfiguration, ...client.ApplyOption) error {
	return refuse("server-side apply")
}

// target is what a write of an object is about.
func (c *connection) target(object client.Object, subresource string) (target, error) {
	k, err := c.store.kindOf(object)
	if err != nil {
		return target{}, err
	}
	t := target{kind: k, key: client.ObjectKeyFromObject(object), subresource: subresource}
	if !k.namespaced {
		t.key.Namespace = ""
	} else if t.key.Namespace == "" {
		return target{}, fmt.Errorf("%s %q: an empty namespace may not be set for a request", k.resource, t.key.Name)
	}
	return t, nil
}

// write asks for a write, and fills the object with the answer.
func (c *connection) write(
	ctx context.Context, verb string, t target, object client.Object, do func() (client.Object, error),
) error {
	var result client.Object
	err := c.store.call(ctx, Call{verb, t.gvk, t.key, t.subresource}, func() (err error) {
		result, err = do()
		return err
	})
	if err != nil || object == nil {
		return err
	}
	served, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return answer(served, object)
}

func (c *connection) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	o := (&client.CreateOptions{}).ApplyOptions(options)
	t, err := c.target(object, "")
	if err != nil {
		return err
	}
	if _, ok := object.(*metav1.PartialObjectMetadata); ok {
		return refuse("creating from metadata")
	}
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return c.write(ctx, "create", t, object, func() (client.Object, error) {
		return c.store.create(ctx, t, body, len(o.DryRun) > 0)
	})
}

func (c *connection) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	return c.update(ctx, object, "", (&client.UpdateOptions{}).ApplyOptions(options))
}

func (c *connection) update(
	ctx context.Context, object client.Object, subresource string, options *client.UpdateOptions,
) error {
	t, err := c.target(object, subresource)
	if err != nil {
		return err
	}
	if _, ok := object.(*metav1.PartialObjectMetadata); ok || len(options.DryRun) > 0 {
		return refuse("updating from metadata, dry run")
	}
	if t.key.Name == "" {
		return errNoName
	}
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return c.write(ctx, "update", t, object, func() (client.Object, error) { return c.store.replace(ctx, t, body) })
}

func (c *connection) Patch(
	ctx context.Context, object client.Object, patch client.Patch, options ...client.PatchOption,
) error {
	return c.patch(ctx, object, patch, "", (&client.PatchOptions{}).ApplyOptions(options))
}

func (c *connection) patch(
	ctx context.Context, object client.Object, patch client.Patch, subresource string, options *client.PatchOptions,
) error {
	t, err := c.target(object, subresource)
	if err != nil {
		return err
	}
	if len(options.DryRun) > 0 {
		return refuse("dry run")
	}
	if t.key.Name == "" {
		return errNoName
	}
	data, err := patch.Data(object)
	if err != nil {
		return err
	}
	return c.write(ctx, "patch", t, object, func() (client.Object, error) {
		return c.store.patch(ctx, t, patch.Type(), data)
	})
}

// errNoName is said before anything is sent.
var errNoName = errors.New("resource name may not be empty")

func (c *connection) Delete(ctx context.Context, object client.Object, options ...client.DeleteOption) error {
	o := (&client.DeleteOptions{}).ApplyOptions(options)
	t, err := c.target(object, "")
	if err != nil {
		return err
	}
	if len(o.DryRun) > 0 {
		return refuse("dry run")
	}
	if t.key.Name == "" {
		return errNoName
	}
	return c.write(ctx, "delete", t, nil, func() (client.Object, error) {
		return nil, c.store.delete(ctx, t, o.AsDeleteOptions())
	})
}

func (c *connection) DeleteAllOf(
	ctx context.Context, object client.Object, options ...client.DeleteAllOfOption,
) error {
	o := (&client.DeleteAllOfOptions{}).ApplyOptions(options)
	k, err := c.store.kindOf(object)
	if err != nil {
		return err
	}
	call := Call{Verb: "deletecollection", Kind: k.gvk, Key: client.ObjectKey{Namespace: o.ListOptions.Namespace}}
	return c.store.call(ctx, call, func() error {
		found, err := c.store.list(k, &o.ListOptions, c.store.revision)
		if err != nil {
			return err
		}
		for _, v := range found {
			t := target{kind: k, key: client.ObjectKeyFromObject(v.object)}
			if err := c.store.delete(ctx, t, o.DeleteOptions.AsDeleteOptions()); err != nil {
				return err
			}
		}
		return nil
	})
}
