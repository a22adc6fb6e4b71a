package store

import (
	"context"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

type validateFunc func(now, before map[string]any, correlated *common.CorrelatedObject) field.ErrorList

func (c *custom) validateFields(now, before map[string]any, correlated *common.CorrelatedObject) field.ErrorList {
	if before == nil {
		return validation.ValidateCustomResource(nil, now, c.fields)
	}
	return validation.ValidateCustomResourceUpdate(nil, now, before, c.fields, validation.WithRatcheting(correlated))
}

func (c *custom) validateStatus(now, before map[string]any, correlated *common.CorrelatedObject) field.ErrorList {
	status, ok := now["status"]
	if !ok {
		return nil
	}
	return validation.ValidateCustomResourceUpdate(field.NewPath("status"), status, before["status"], c.status,
		validation.WithRatcheting(correlated.Key("status")))
}

// validate checks the schema, the keys of lists and, if the types are right, the rules. What was wrong before
// an update may stay as it is.
func (c *custom) validate(
	ctx context.Context, object, old client.Object, schema validateFunc, namespaced bool,
) field.ErrorList {
	now, path := content(object), field.NewPath("metadata")
	var before map[string]any
	var former any
	var correlated *common.CorrelatedObject
	var options []cel.Option
	var ofMetadata, errs field.ErrorList
	if old == nil {
		ofMetadata = metavalidation.ValidateObjectMetaAccessor(
			object, namespaced, metavalidation.NameIsDNSSubdomain, path)
	} else {
		before = content(old)
		former = before
		ofMetadata = metavalidation.ValidateObjectMetaAccessorUpdate(object, old, path)
		correlated = common.NewCorrelatedObject(now, before, &model.Structural{Structural: c.schema})
		options = append(options, cel.WithRatcheting(correlated))
	}
	errs = append(errs, schema(now, before, correlated)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, now, c.schema, false)...)
	if old == nil || len(listtype.ValidateListSetsAndMaps(nil, c.schema, before)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, c.schema, now)...)
	}
	if slices.ContainsFunc(append(ofMetadata, errs...), blocks) {
		errs = append(errs, field.Invalid(nil, nil, "some validation rules were not checked because the object was "+
			"invalid; correct the existing errors to complete validation"))
	} else {
		failed, _ := c.rules.Validate(ctx, nil, c.schema, now, former, celconfig.RuntimeCELCostBudget, options...)
		errs = append(errs, failed...)
	}
	if old != nil {
		return errs // Metadata in updates is checked for all kinds alike, too, and would be complained of twice.
	}
	return append(ofMetadata, errs...)
}

// blocks reports whether an error keeps rules from being checked.
func blocks(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany,
		field.ErrorTypeTypeInvalid:
		return true
	default:
		return false
	}
}
