package store

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func (c *connection) Status() client.SubResourceWriter { return c.SubResource("status") }

func (c *connection) SubResource(name string) client.SubResourceClient { return &subresource{c, name} }

type subresource struct {
	*connection
	name string
}

func (s *subresource) Get(context.Context, client.Object, client.Object, ...client.SubResourceGetOption) error {
	return refuse("reading a subresource")
}

func (s *subresource) Create(context.Context, client.Object, client.Object, ...client.SubResourceCreateOption) error {
	return refuse("creating a subresource")
}

func (s *subresource) Apply(context.Context, runtime.ApplyConfiguration, ...client.SubResourceApplyOption) error {
	return refuse("server-side apply")
}

func (s *subresource) Update(
	ctx context.Context, object client.Object, options ...client.SubResourceUpdateOption,
) error {
	o := (&client.SubResourceUpdateOptions{}).ApplyOptions(options)
	if o.SubResourceBody != nil {
		return refuse("a body of its own for a subresource")
	}
	return s.update(ctx, object, s.name, &o.UpdateOptions)
}

func (s *subresource) Patch(
	ctx context.Context, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption,
) error {
	o := (&client.SubResourcePatchOptions{}).ApplyOptions(options)
	if o.SubResourceBody != nil {
		return refuse("a body of its own for a subresource")
	}
	return s.patch(ctx, object, patch, s.name, &o.PatchOptions)
}
