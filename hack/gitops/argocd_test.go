package gitops_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// health is what Argo CD shows of a resource.
type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// action is a button of Argo CD.
type action struct {
	Name        string `json:"name"`
	Disabled    bool   `json:"disabled,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	IconClass   string `json:"iconClass,omitempty"`
}

// scripts are what Argo CD knows of a kind.
type scripts struct {
	health, discovery string
	actions           map[string]string
}

var actionNames = []string{"resume", "rotate-secret", "suspend", "sync"}

// builtIn are the scripts in the layout of Argo CD's own repository.
func builtIn(t *testing.T) scripts {
	t.Helper()
	s := scripts{
		health:    string(read(t, customization("health.lua"))),
		discovery: string(read(t, customization("actions", "discovery.lua"))), actions: map[string]string{},
	}
	for _, name := range actionNames {
		s.actions[name] = string(read(t, customization("actions", name, "action.lua")))
	}
	return s
}

// pasted are the scripts of argocd-cm.
func pasted(t *testing.T, data map[string]string) scripts {
	t.Helper()
	const kind = "hub.chatt2.me_Chatt2Webhook"
	var all struct {
		Discovery   string `json:"discovery.lua"`
		Definitions []struct {
			Name   string `json:"name"`
			Action string `json:"action.lua"`
		} `json:"definitions"`
	}
	if err := yaml.UnmarshalStrict([]byte(data["resource.customizations.actions."+kind]), &all); err != nil {
		t.Fatal(err)
	}
	s := scripts{
		health: data["resource.customizations.health."+kind], discovery: all.Discovery, actions: map[string]string{},
	}
	for _, one := range all.Definitions {
		s.actions[one.Name] = one.Action
	}
	return s
}

// assess gives the health of an object.
func (s scripts) assess(t *testing.T, with libraries, object *unstructured.Unstructured) health {
	t.Helper()
	var h health
	into(t, &h, s.health, with, object)
	return h
}

// discover gives the buttons of an object by their names.
func (s scripts) discover(t *testing.T, with libraries, object *unstructured.Unstructured) map[string]action {
	t.Helper()
	var all map[string]action
	into(t, &all, s.discovery, with, object)
	for name, one := range all {
		one.Name = name
		all[name] = one
	}
	return all
}

// press runs an action and gives the object that Argo CD sends.
func (s scripts) press(
	t *testing.T, name string, with libraries, object *unstructured.Unstructured,
) *unstructured.Unstructured {
	t.Helper()
	var fields map[string]any
	into(t, &fields, s.actions[name], with, object)
	restored, ok := restoreEmpty(object.DeepCopy().Object, fields).(map[string]any)
	if !ok {
		t.Fatalf("%s returned no object", name)
	}
	content, err := json.Marshal(restored)
	if err != nil {
		t.Fatal(err)
	}
	after := &unstructured.Unstructured{}
	if err := after.UnmarshalJSON(content); err != nil {
		t.Fatal(err)
	}
	return after
}

// into runs a script and reads what it returns, of which every field must be known.
func into(t *testing.T, target any, script string, with libraries, object *unstructured.Unstructured) {
	t.Helper()
	result, err := runLua(script, with, object.Object)
	if err != nil {
		t.Fatalf("with %s libraries: %v", with, err)
	}
	content, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(content, target); err != nil {
		t.Fatalf("%v in %s", err, content)
	}
}

// readObject reads a resource from a file.
func readObject(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	content, err := yaml.YAMLToJSON(read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(content); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", path, err))
	}
	return object
}

// wanted is the health that a resource in a state shall have.
func (s state) wanted(object *unstructured.Unstructured) health {
	if s.message != "" {
		return health{s.health, s.message}
	}
	ready := condition(object, "Ready")
	return health{s.health, text(ready, "reason") + ": " + text(ready, "message")}
}
