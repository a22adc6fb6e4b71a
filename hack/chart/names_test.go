package main

import (
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
)

// TestNamesMayLookLikeNumbers, those of releases, namespaces and whatever else is named.
func TestNamesMayLookLikeNumbers(t *testing.T) {
	needTools(t)
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			g := NewWithT(t)
			args := []string{"template", "123", chartFolder(), "--namespace", "777", "--values", ciFile("full")}
			for _, set := range []string{
				"fullnameOverride=1e3", "nameOverride=0x1", "namespaces={777,0o17}", "leaderElection.namespace=888",
				"serviceAccount.name=42", "priorityClassName=1", "hub.ca.configMap=2", "metrics.readers[0].name=3",
				"metrics.readers[0].namespace=4", "imagePullSecrets[0].name=5", "commonLabels.six=6", "podLabels.seven=7",
				"nodeSelector.eight=8",
			} {
				args = append(args, "--set-string", set)
			}

			out, complaints, err := helm(t, version, args...)

			g.Expect(err).NotTo(HaveOccurred(), complaints)
			for _, object := range parse(t, out) {
				g.Expect(object.GetName()).NotTo(BeEmpty(), "the name in %v", object.Object["metadata"])
				_, _, err := unstructured.NestedStringMap(object.Object, "metadata", "labels")
				g.Expect(err).NotTo(HaveOccurred(), object.GetKind())
				typed, err := clientgoscheme.Scheme.New(object.GroupVersionKind())
				if err == nil { // else it is a kind of others
					convert(t, object, typed)
				}
			}
		})
	}
}

// TestNamesOfReleasesMayHaveDots, which a Service may not have in its name.
func TestNamesOfReleasesMayHaveDots(t *testing.T) {
	needTools(t)
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			g := NewWithT(t)
			out, complaints, err := helm(t, version, "template", "my.release", chartFolder(), "--namespace", namespace,
				"--values", ciFile("full"))

			g.Expect(err).NotTo(HaveOccurred(), complaints)
			for _, object := range parse(t, out) {
				if object.GetKind() == "Service" || object.GetKind() == "Deployment" {
					g.Expect(validation.IsDNS1035Label(object.GetName())).To(BeEmpty(), object.GetName())
				}
			}
		})
	}
}

// TestShardsOfOneNameDoNotMeet, whatever namespaces they share.
func TestShardsOfOneNameDoNotMeet(t *testing.T) {
	needTools(t)
	for name, args := range map[string][]string{
		"by namespaces": {"--values", ciFile("namespaced"), "--set", "namespaces={one,two}"},
		"by labels":     {"--values", ciFile("full"), "--set", "crds.enabled=false", "--set", "extraObjects=null"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			of := map[string]string{}
			for _, home := range []string{"one", "two"} {
				args := append([]string{
					"template", release, chartFolder(), "--namespace", home,
					"--set", "leaderElection.namespace=leases",
				}, args...)
				out, complaints, err := helm(t, "helm", args...)
				g.Expect(err).NotTo(HaveOccurred(), complaints)
				for _, object := range parse(t, out) {
					key := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
					g.Expect(of).NotTo(HaveKey(key), "is that of two releases")
					of[key] = home
				}
			}
			g.Expect(of).NotTo(BeEmpty())
		})
	}
}
