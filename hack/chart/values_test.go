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
		"replica=2":                                                 {"replica"},
		"hub.pollIntervall=2m":                                      {"/hub", "pollIntervall"},
		"metrics.serviceMonitor.enable=true":                        {"/metrics/serviceMonitor", "enable"},
		"crds.install=true":                                         {"/crds", "install"},
		"replicas=two":                                              {"/replicas"},
		"hub.pollInterval=often":                                    {"/hub/pollInterval"},
		"hub.pollInterval=60":                                       {"/hub/pollInterval"},
		"hub.qps=0":                                                 {"/hub/qps"},
		"hub.url=http://hub.example":                                {"/hub/url"},
		"hub.url=https://user:secret@hub.example":                   {"/hub/url"},
		"image.digest=latest":                                       {"/image/digest"},
		"image.pullPolicy=Sometimes":                                {"/image/pullPolicy"},
		"namespaces={One}":                                          {"/namespaces/0"},
		"namespaces={one,one}":                                      {"/namespaces"},
		"log.level=loud":                                            {"/log/level"},
		"pprofBindAddress=0.0.0.0:6060":                             {"/pprofBindAddress"},
		"simulator.variants={labelUpdate}":                          {"/simulator/variants/0"},
		"metrics.readers[0].name=prometheus":                        {"/metrics/readers/0", "namespace"},
		"replicas=2,leaderElection.enabled=false":                   {"replicas above 1 need leaderElection.enabled"},
		"hub.ca.configMap=a,hub.ca.secret=b":                        {"not both"},
		"simulator.enabled=true,hub.ca.secret=b":                    {"leave hub.ca empty"},
		"simulator.enabled=true,namespaces={elsewhere}":             {`needs "` + namespace + `" among namespaces`},
		"hub.timeout=1m":                                            {"hub.timeout must be", "below 30s"},
		"hub.timeout=0s":                                            {"hub.timeout must be above 0"},
		"hub.settleTime=5s":                                         {"hub.settleTime must be longer than hub.timeout"},
		"hub.timeout=29s,hub.settleTime=0.4m":                       {"hub.settleTime must be longer than hub.timeout"},
		"hub.pollInterval=0s":                                       {"hub.pollInterval must be at least 1s"},
		"hub.pollInterval=999ms":                                    {"hub.pollInterval must be at least 1s"},
		"orphanAfter=0s":                                            {"orphanAfter must be above 0"},
		"hub.qps=0.0":                                               {"hub.qps must be at least 0.01"},
		"hub.url=https://hub.example:https":                         {"/hub/url"},
		"hub.url=https://a hub":                                     {"/hub/url"},
		"watchLabelSelector=a in":                                   {`watchLabelSelector "a in"`},
		"watchLabelSelector=a=b=c":                                  {`watchLabelSelector "a=b=c"`},
		"metrics.port=8081":                                         {"healthPort and metrics.port are both port 8081"},
		"pprofBindAddress=127.0.0.1:8443":                           {"metrics.port and pprofBindAddress are both port 8443"},
		"terminationGracePeriodSeconds=30":                          {"/terminationGracePeriodSeconds"},
		"serviceAccount.create=false":                               {"serviceAccount.create=false needs serviceAccount.name"},
		"serviceAccount.name=Operator":                              {"/serviceAccount/name"},
		"leaderElection.namespace=a_b":                              {"/leaderElection/namespace"},
		"fullnameOverride=my.hooks":                                 {"/fullnameOverride"},
		`commonLabels.app\.kubernetes\.io/name=other`:               {"/commonLabels", "kubernetes.io~1name"},
		`commonLabels.helm\.sh/chart=other`:                         {"/commonLabels", "helm.sh~1chart"},
		`podLabels.app\.kubernetes\.io/component=other`:             {"/podLabels", "kubernetes.io~1component"},
		"resources.limit.cpu=1":                                     {"/resources", "limit"},
		"simulator.resources.request.cpu=1":                         {"/simulator/resources", "request"},
		"affinity.podAffinities.a=b":                                {"/affinity", "podAffinities"},
		"tolerations[0].operation=Exists":                           {"/tolerations/0", "operation"},
		"extraEnv[0].value=a":                                       {"/extraEnv/0", "name"},
		"extraEnv[0].name=a,extraEnv[0].val=b":                      {"/extraEnv/0", "val"},
		"extraVolumeMounts[0].name=a":                               {"/extraVolumeMounts/0", "mountPath"},
		"metrics.serviceMonitor.interval=often":                     {"/metrics/serviceMonitor/interval"},
		"metrics.enabled=false,metrics.serviceMonitor.enabled=true": {"metrics.serviceMonitor.enabled needs metrics.enabled"},
		"metrics.enabled=false,metrics.prometheusRule.enabled=true": {"metrics.prometheusRule.enabled needs metrics.enabled"},
		"metrics.enabled=false,metrics.dashboard.enabled=true":      {"metrics.dashboard.enabled needs metrics.enabled"},
		"metrics.prometheusRule.enabled=true,metrics.prometheusRule.disabled={Chatt2Hubdown}": {
			`metrics.prometheusRule.disabled: there is no alert "Chatt2Hubdown"`,
		},
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
			if !known && path+name != "global" && path+name != "enabled" { // of charts that have this one below them
				t.Errorf("values.yaml has no %s", path+name)
			}
			if below, ok := value.(map[string]any); ok && len(below) > 0 { // else anything may be in it
				walk(path+name+".", property, below)
			}
		}
	}
	walk("", text, values)
}
