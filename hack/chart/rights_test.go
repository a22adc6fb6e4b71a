package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
)

// grant applies the rights for a site and waits until they are in force, so that no refusal is due to the test. in is
// the other namespace.
func (s *site) grant(r rights, in string) {
	s.Helper()
	here := strings.NewReplacer(namespace, s.namespace, theirs, in)
	var granted []authorizationv1.ResourceAttributes
	for _, object := range r.objects {
		content, err := object.MarshalJSON()
		s.Expect(err).NotTo(HaveOccurred())
		object := &unstructured.Unstructured{}
		s.Expect(object.UnmarshalJSON([]byte(here.Replace(string(content))))).To(Succeed())
		s.Expect(s.Create(s.Context(), object)).To(Succeed())
		if object.GetNamespace() == "" {
			s.Cleanup(func() { _ = s.Delete(context.Background(), object) }) // it has no namespace to go with
		}
		for _, rule := range single(rulesOf(s.T, object)) {
			if suffix(object) != "metrics-reader" {
				resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
				granted = append(granted, authorizationv1.ResourceAttributes{
					Namespace: object.GetNamespace(), Group: rule.APIGroups[0], Resource: resource, Subresource: subresource,
					Verb: rule.Verbs[0],
				})
			}
		}
	}
	for i := range granted {
		s.Eventually(s.allowed).WithArguments(&granted[i]).WithTimeout(2*time.Minute).Should(BeTrue(), "%v", granted[i])
	}
}

// allowed reports whether the operator's ServiceAccount may do something.
func (s *site) allowed(what *authorizationv1.ResourceAttributes) (bool, error) {
	review := &authorizationv1.SubjectAccessReview{}
	review.Spec.User = "system:serviceaccount:" + s.namespace + ":" + release
	review.Spec.ResourceAttributes = what
	err := s.Create(s.Context(), review)
	return review.Status.Allowed, err
}

// scraperToken is the token of the ServiceAccount that the chart was told may scrape.
func (s *site) scraperToken() string {
	s.Helper()
	meta := metav1.ObjectMeta{Namespace: s.namespace, Name: "scraper"}
	s.Expect(s.Create(s.Context(), &corev1.ServiceAccount{ObjectMeta: meta})).To(Succeed())
	access, err := shared.ServiceAccount(s.Context(), s.namespace, meta.Name)
	s.Expect(err).NotTo(HaveOccurred())
	return access.BearerToken
}

// begin starts an operator with some rights for a namespace, and gives what it goes through there.
func (s *site) begin(r rights, in string) *life {
	s.Helper()
	s.grant(r, in)
	hub := simulatortest.Start(s.T, simulator.Options{})
	flags := slices.Clone(r.flags)
	for i := range flags {
		flags[i] = strings.ReplaceAll(flags[i], theirs, in)
	}
	l := &life{
		site: s, hub: hub, in: in, flags: flags, operator: s.startOperator(hub, flags), patience: time.Minute,
	}
	l.unwatched = slices.Contains(flags, "--watch-secrets=false")
	if slices.Contains(flags, "--metrics-secure=true") {
		l.scraper = s.scraperToken()
	}
	return l
}

// TestTheOperatorLivesByTheRightsOfTheChart with the flags and the ServiceAccount that the chart gives it.
func TestTheOperatorLivesByTheRightsOfTheChart(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.installCRD()
	for name, values := range map[string]string{
		"everywhere":                      "replicas=1",
		"everywhere without a watch":      "secrets.watch=false",
		"in a namespace":                  "namespaces={" + theirs + "}",
		"in a namespace without a watch":  "namespaces={" + theirs + "},secrets.watch=false",
		"in a namespace and nowhere else": "namespaces={" + theirs + "},metrics.secure=false,metrics.readers=null",
	} {
		t.Run(name, func(t *testing.T) {
			s := s.neighbour(t)
			if err := s.begin(rightsOf(t, values), cluster.Namespace(t, s.Client)).live(); err != nil {
				t.Error(err)
			}
		})
	}
}

// unneeded are rights that nothing here takes, with what they are for.
var unneeded = map[string]string{
	"patch events.events.k8s.io of manager": "an event that occurs again before status could be written",
}

// audited is what the audit log tells of a request.
type audited struct {
	Verb      string
	User      struct{ Username string }
	ObjectRef struct{ APIGroup, Resource, Subresource string }
	// ResponseStatus is how it ended.
	ResponseStatus struct {
		Code    int
		Message string
	}
}

// refuses reports whether a request was refused for lack of a right.
func (a *audited) refuses(r right) bool {
	if a.ResponseStatus.Code != http.StatusForbidden {
		return false
	}
	if strings.HasSuffix(r.resource, "/finalizers") {
		return strings.Contains(a.ResponseStatus.Message, "blockOwnerDeletion") // admission does not name the right
	}
	resource, subresource, _ := strings.Cut(r.resource, "/")
	o := a.ObjectRef
	return a.Verb == r.verb && o.APIGroup == r.group && o.Resource == resource && o.Subresource == subresource
}

// wasRefused reports whether the API server has refused the operator what a right is for.
func (s *site) wasRefused(r right) (bool, error) {
	content, err := os.ReadFile(auditLog)
	user := "system:serviceaccount:" + s.namespace + ":" + release
	for line := range strings.Lines(string(content)) {
		var a audited
		if !strings.Contains(line, user) || !strings.HasSuffix(line, "\n") {
			continue // somebody else's, or not written yet
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			return false, err
		}
		if a.User.Username == user && a.refuses(r) {
			return true, nil
		}
	}
	return false, err
}

// TestEachRightOfTheChartIsNeeded takes one right after another away and expects the API server to refuse the operator
// just that in the life of a webhook. That the life comes to a halt is not enough: a busy machine does that, too.
func TestEachRightOfTheChartIsNeeded(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.installCRD()
	for name, values := range map[string]string{
		"with a watch":    "namespaces={" + theirs + "}",
		"without a watch": "namespaces={" + theirs + "},secrets.watch=false",
	} {
		whole := rightsOf(t, values)
		t.Run(name, func(t *testing.T) {
			for _, taken := range whole.all(t) {
				if _, known := unneeded[taken.String()]; known {
					continue
				}
				// Without a watch the rights are the same but on Secrets.
				if strings.Contains(values, "watch=false") && taken.resource != "secrets" {
					continue
				}
				t.Run(taken.String(), func(t *testing.T) {
					t.Parallel()
					s := s.neighbour(t)
					l := s.begin(whole.without(t, taken), cluster.Namespace(t, s.Client))
					l.patience = 20 * time.Second
					err := l.live()
					if err == nil {
						t.Fatal("the operator lives without it")
					}
					s.Eventually(s.wasRefused).WithArguments(taken).WithTimeout(2*time.Minute).
						Should(BeTrue(), "it came to a halt, but was not refused that: %v", err)
				})
			}
		})
	}
}
