package store

import (
	"errors"
	"fmt"
	"net/http"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kjson "sigs.k8s.io/json"
)

// patches reports whether a kind can be patched like that.
func patches(k *kind, by types.PatchType) bool {
	return by == types.MergePatchType || by == types.JSONPatchType || by == types.StrategicMergePatchType && !k.custom
}

// applyPatch applies a patch to an object in JSON.
func applyPatch(k *kind, by types.PatchType, before, data []byte) ([]byte, error) {
	var form any = &map[string]any{}
	if by == types.JSONPatchType {
		form = &[]struct{ Op, Path, From string }{}
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, form); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	switch by {
	case types.MergePatchType:
		after, err := jsonpatch.MergePatch(before, data)
		if errors.Is(err, jsonpatch.ErrBadJSONPatch) {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return after, err
	case types.JSONPatchType:
		patch, err := jsonpatch.DecodePatch(data)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		after, err := patch.Apply(before)
		if err != nil {
			return nil, apierrors.NewGenericServerResponse(
				http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
		}
		return after, nil
	default:
		after, err := strategicpatch.StrategicMergePatch(before, data, k.empty())
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return after, nil
	}
}
