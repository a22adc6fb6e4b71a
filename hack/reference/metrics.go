package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
)

// metricsPage tells of the metrics.
func metricsPage(string) (string, error) {
	own, err := ownMetrics()
	if err != nil {
		return "", err
	}
	shared, err := sharedMetrics()
	if err != nil {
		return "", err
	}
	return "# Metrics\n\nServed at `/metrics` of `--metrics-bind-address`: by HTTPS, to those who may get the " +
		"non-resource URL `/metrics`,\nunless `--metrics-secure=false`. All replicas serve them; those that do not " +
		"lead make no calls to the Hub. The label\n`connection` stands for one API key and is the beginning of the " +
		"SHA-256 of the Hub's URL and that key.\n\n" +
		table([]string{"metric", "type", "labels", "what it tells"}, own) +
		"\n## Of controller-runtime\n\nBesides, there are Go's own, `go_*` and `process_*`.\n\n" +
		table([]string{"metric", "labels", "what it tells"}, shared), nil
}

// ownMetrics are rows about the metrics of the operator, each made to happen once.
func ownMetrics() ([][]string, error) {
	registry := prometheus.NewPedanticRegistry()
	counted := controller.NewMetrics(registry)
	now := time.Now()
	counted.Requested("", "", 0)
	counted.Rotated("", "")
	counted.Orphaned()
	counted.DriftCorrected()
	of := counted.OfConnections()
	of.Throttled("", 0)
	of.Breaker("", connection.Open)
	of.Listed("", now)
	collector := &controller.Collector{Client: oneSigned{}, Now: time.Now, Metrics: counted}
	if err := registry.Register(collector); err != nil {
		return nil, err
	}
	families, err := registry.Gather()
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, f := range families {
		kind := strings.ToLower(f.GetType().String())
		rows = append(rows, []string{code(f.GetName()), kind, labels(f.GetMetric()[0]), f.GetHelp()})
	}
	return rows, nil
}

// oneSigned is a cache that holds one signed webhook.
type oneSigned struct{ client.Reader }

// List lists it.
func (oneSigned) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	all, ok := list.(*v1alpha1.Chatt2WebhookList)
	if !ok {
		return fmt.Errorf("%T is not kept here", list)
	}
	all.Items = make([]v1alpha1.Chatt2Webhook, 1)
	all.Items[0].Status.SigningSecret = &v1alpha1.SigningSecretStatus{
		RotatedAt: &metav1.Time{}, NextRotationAt: &metav1.Time{},
	}
	return nil
}

func labels(metric *dto.Metric) string {
	var names []string
	for _, label := range metric.GetLabel() {
		names = append(names, code(label.GetName()))
	}
	return strings.Join(names, ", ")
}

var description = regexp.MustCompile(`fqName: "([^"]+)", help: "(.*?)", (?:unit: ".*", )?` +
	`constLabels: .*variableLabels: \{([^}]*)\}`)

// sharedMetrics are rows about the metrics that every operator on controller-runtime has.
func sharedMetrics() ([][]string, error) {
	all, ok := metrics.Registry.(prometheus.Collector)
	if !ok {
		return nil, fmt.Errorf("%T cannot be asked what it holds", metrics.Registry)
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		all.Describe(descriptions)
	}()
	var rows [][]string
	var unread error
	for d := range descriptions {
		match := description.FindStringSubmatch(d.String())
		switch {
		case match == nil:
			unread = fmt.Errorf("cannot read %s", d)
		case strings.HasPrefix(match[1], "go_"), strings.HasPrefix(match[1], "process_"):
		default:
			names := strings.FieldsFunc(match[3], func(r rune) bool { return r == ',' })
			for i := range names {
				names[i] = code(names[i])
			}
			help := strings.ReplaceAll(match[2], `\"`, `"`)
			rows = append(rows, []string{code(match[1]), strings.Join(names, ", "), help})
		}
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return rows, unread
}
