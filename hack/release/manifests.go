package main

import (
	"bytes"
	"context"
	"fmt"
)

// unreleased is the image that config names.
const unreleased = "image: " + name + ":dev"

// manifests writes what kubectl applies: everything, and the CRD alone.
func (r *release) manifests(ctx context.Context) error {
	everything, err := call(ctx, r.source, nil, r.kubectl, "kustomize", "config/default")
	if err != nil {
		return err
	}
	if n := bytes.Count(everything, []byte(unreleased)); n != 1 {
		return fmt.Errorf("config/default says %q %d times, not once", unreleased, n)
	}
	image := "image: " + registry + ":" + r.number()
	if err := r.write("install.yaml", bytes.Replace(everything, []byte(unreleased), []byte(image), 1)); err != nil {
		return err
	}
	definitions, err := call(ctx, r.source, nil, r.kubectl, "kustomize", "config/crd")
	if err != nil {
		return err
	}
	return r.write("crds.yaml", definitions)
}
