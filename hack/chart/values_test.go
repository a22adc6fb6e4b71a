package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestWrongValuesAreRefused by the schema and by the chart, with words that say where.
func TestWrongValuesAreRefused(t *testing.T) {
	needTools(t)
	for set, want := range map[string][]string{
		"replica=2":                                     {"replica"},
		"hub.pollIntervall=2m":                          {"/hub", "pollIntervall"},
		"metrics.serviceMonitor.enable=true":            {"/metrics/serviceMonitor", "enable"},
		"crds.install=true":                             {"/crds", "install"},
		"replicas=two":                                  {"/replicas"},
		"hub.pollInterval=often":                        {"/hub/pollInterval"},
		"hub.pollInterval=60":                           {"/hub/pollInterval"},
		"hub.qps=0":                                     {"/hub/qps"},
		"hub.url=http://hub.example":                    {"/hub/url"},
		"hub.url=https://user:secret@hub.example":       {"/hub/url"},
		"image.digest=latest":                           {"/image/digest"},
		"image.pullPolicy=Sometimes":                    {"/image/pullPolicy"},
		"namespaces={One}":                              {"/namespaces/0"},
		"namespaces={one,one}":                          {"/namespaces"},
		"log.level=loud":                                {"/log/level"},
		"pprofBindAddress=0.0.0.0:6060":                 {"/pprofBindAddress"},
		"simulator.variants={labelUpdate}":              {"/simulator/variants/0"},
		"metrics.readers[0].name=prometheus":            {"/metrics/readers/0", "namespace"},
		"replicas=2,leaderElection.enabled=false":       {"replicas above 1 need leaderElection.enabled"},
		"hub.ca.configMap=a,hub.ca.secret=b":            {"not both"},
		"simulator.enabled=true,hub.ca.secret=b":        {"leave hub.ca empty"},
		"simulator.enabled=true,namespaces={elsewhere}": {`needs "` + namespace + `" among namespaces`},
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			for _, version := range versions {
				_, complaints, err := helm(t, version, "template", release, chartFolder(), "--namespace", namespace, "--set", set)
				if err == nil {
					t.Errorf("%s takes it", version)
				}
				for _, word := range want {
					// Helm 3 writes the place as hub.url or as /hub/url, by its version.
					if !strings.Contains(complaints, word) {
						t.Errorf("%s does not say %q in\n%s", version, word, complaints)
					}
				}
			}
		})
	}
}

func TestHTTPIsPermittedOnRequest(t *testing.T) {
	flags := flagsOf(t, render(t, "--set", "hub.url=http://hub.example,hub.allowInsecure=true"))
	if flags["hub-url"] != "http://hub.example" || flags["hub-allow-insecure"] != "true" {
		t.Errorf("the flags are %v", flags)
	}
}

// TestTheSchemaKnowsNoOtherValues than values.yaml has. Helm itself refuses the other way round.
func TestTheSchemaKnowsNoOtherValues(t *testing.T) {
	type schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var values map[string]any
	content, err := os.ReadFile(filepath.Join(chartFolder(), "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(content, &values); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(chartFolder(), "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(path string, raw []byte, values map[string]any)
	walk = func(path string, raw []byte, values map[string]any) {
		var s schema
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		for name, property := range s.Properties {
			value, known := values[name]
			if !known && path+name != "global" {
				t.Errorf("values.yaml has no %s", path+name)
			}
			if below, ok := value.(map[string]any); ok {
				walk(path+name+".", property, below)
			}
		}
	}
	walk("", text, values)
}
