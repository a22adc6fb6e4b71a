package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// custom checks objects by the schema of a CustomResourceDefinition, with the library of the API server.
type custom struct {
	schema         *structuralschema.Structural
	fields, status validation.SchemaValidator
	rules          *cel.Validator
}

// customKind makes a kind of the storage version of a CustomResourceDefinition.
func customKind(crd *apiextensionsv1.CustomResourceDefinition) (*kind, error) {
	var internal apiextensions.CustomResourceDefinition
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(
		crd, &internal, nil); err != nil {
		return nil, err
	}
	for i := range crd.Spec.Versions {
		if !crd.Spec.Versions[i].Storage {
			continue
		}
		c, err := newCustom(&crd.Spec.Versions[i])
		if err != nil {
			return nil, err
		}
		return c.kind(crd, &crd.Spec.Versions[i]), nil
	}
	return nil, errors.New("no version is stored")
}

func newCustom(version *apiextensionsv1.CustomResourceDefinitionVersion) (*custom, error) {
	var schema apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
		version.Schema.OpenAPIV3Schema, &schema, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(&schema)
	if err != nil {
		return nil, err
	}
	c := &custom{schema: structural.DeepCopy()}
	if err := defaulting.PruneDefaults(c.schema); err != nil {
		return nil, err
	}
	if c.fields, _, err = validation.NewSchemaValidator(&schema); err != nil {
		return nil, err
	}
	status := schema.Properties["status"]
	if c.status, _, err = validation.NewSchemaValidator(&status); err != nil {
		return nil, err
	}
	c.rules = cel.NewValidator(c.schema, true, celconfig.PerCallLimit)
	return c, nil
}

func (c *custom) kind(
	crd *apiextensionsv1.CustomResourceDefinition, version *apiextensionsv1.CustomResourceDefinitionVersion,
) *kind {
	k := &kind{
		resource: crd.Spec.Names.Plural, namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped, custom: true,
		empty:    func() client.Object { return &unstructured.Unstructured{} },
		complete: func(object client.Object) error { return c.complete(content(object)) },
	}
	k.gvk.Group, k.gvk.Version, k.gvk.Kind = crd.Spec.Group, version.Name, crd.Spec.Names.Kind
	k.selectable = func(object client.Object) fields.Set {
		set := metadataFields(object)
		for _, f := range version.SelectableFields {
			path := strings.TrimPrefix(f.JSONPath, ".")
			set[path] = ""
			value, ok, err := unstructured.NestedFieldNoCopy(content(object), strings.Split(path, ".")...)
			if ok && err == nil {
				set[path] = fmt.Sprint(value)
			}
		}
		return set
	}
	separate := version.Subresources != nil && version.Subresources.Status != nil
	k.rules = map[string]rules{"": {
		prepare: func(object, old client.Object) { prepareCustom(object, old, separate) },
		validate: func(ctx context.Context, object, old client.Object) field.ErrorList {
			return c.validate(ctx, object, old, c.validateFields, k.namespaced)
		},
	}}
	if separate {
		k.rules["status"] = rules{
			prepare: prepareStatus,
			validate: func(ctx context.Context, object, old client.Object) field.ErrorList {
				return c.validate(ctx, object, old, c.validateStatus, k.namespaced)
			},
		}
	}
	return k
}

// content are the fields of an object that is held without a Go type.
func content(object client.Object) map[string]any {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return nil
	}
	return u.Object
}

// complete prunes and defaults.
func (c *custom) complete(fields map[string]any) error {
	metadata, found, err := objectmeta.GetObjectMeta(fields, false)
	if err != nil {
		return err
	}
	pruning.Prune(fields, c.schema, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(fields, c.schema)
	if err := objectmeta.Coerce(nil, fields, c.schema, false, false); err != nil {
		return err
	}
	defaulting.Default(fields, c.schema)
	if !found {
		return nil
	}
	return objectmeta.SetObjectMeta(fields, metadata)
}

// prepareCustom keeps status out of writes to the resource, and counts generations.
func prepareCustom(object, old client.Object, separate bool) {
	now := content(object)
	if old == nil {
		if separate {
			delete(now, "status")
		}
		object.SetGeneration(1)
		return
	}
	before := content(old)
	if separate {
		delete(now, "status")
		if status, ok := before["status"]; ok {
			now["status"] = status
		}
	}
	if !equality.Semantic.DeepEqual(withoutMetadata(now), withoutMetadata(before)) {
		object.SetGeneration(old.GetGeneration() + 1)
	}
}

func withoutMetadata(fields map[string]any) map[string]any {
	rest := maps.Clone(fields)
	delete(rest, "metadata")
	return rest
}

// prepareStatus keeps all but status out of writes to status.
func prepareStatus(object, old client.Object) {
	u, ok := object.(*unstructured.Unstructured)
	before, okBefore := old.DeepCopyObject().(*unstructured.Unstructured)
	if !ok || !okBefore {
		return
	}
	status, has := u.Object["status"]
	delete(before.Object, "status")
	if u.Object = before.Object; has {
		u.Object["status"] = status
	}
}
