package e2e

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
)

// How long things may take on a busy machine with two cores, and how often it is looked whether they have come about. A
// kubelet may take a minute and a half to show a Pod a changed Secret.
const (
	patience = 4 * time.Minute
	interval = 500 * time.Millisecond
)

// stage is an installation of the operator, the Hub in memory and the receiver in one namespace.
type stage struct {
	*testing.T
	*WithT
	*cluster
	namespace                     string
	operator, simulator, receiver string // names of Deployments
}

func newStage(t *testing.T, namespace string) *stage {
	t.Helper()
	needCluster(t)
	s := &stage{T: t, WithT: NewWithT(t), cluster: shared, namespace: namespace}
	s.SetDefaultEventuallyTimeout(patience)
	s.SetDefaultEventuallyPollingInterval(interval)
	return s
}

// kubectl runs kubectl in the namespace of the stage.
func (s *stage) kubectl(args ...string) string {
	s.Helper()
	return s.must(nil, "kubectl", append([]string{"--namespace", s.namespace}, args...)...)
}

func (s *stage) helm(args ...string) string {
	s.Helper()
	return s.must(nil, "helm", append([]string{"--namespace", s.namespace}, args...)...)
}

// apply applies manifests from the standard input.
func (s *stage) apply(manifests string, args ...string) {
	s.Helper()
	in := strings.NewReader(manifests)
	s.must(in, "kubectl", append([]string{"--namespace", s.namespace, "apply", "--filename", "-"}, args...)...)
}

func (s *stage) must(input *strings.Reader, name string, args ...string) string {
	s.Helper()
	if input == nil {
		input = strings.NewReader("")
	}
	out, err := s.run(s.Context(), input, name, args...)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

func (s *stage) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: s.namespace, Name: name}
}

// webhook is the sample as it is now.
func (s *stage) webhook(g Gomega) *v1alpha1.Chatt2Webhook {
	webhook := &v1alpha1.Chatt2Webhook{}
	g.Expect(s.Get(s.Context(), s.key("sample"), webhook)).To(Succeed())
	return webhook
}

func (s *stage) signingSecret(g Gomega) *corev1.Secret {
	secret := &corev1.Secret{}
	g.Expect(s.Get(s.Context(), s.key("sample-signing"), secret)).To(Succeed())
	return secret
}

// leader is the name of the Pod that leads.
func (s *stage) leader(g Gomega) string {
	lease := &coordinationv1.Lease{}
	g.Expect(s.Get(s.Context(), s.key(controller.Name), lease)).To(Succeed())
	g.Expect(lease.Spec.HolderIdentity).NotTo(HaveValue(BeEmpty()))
	pod, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
	return pod
}

// pods are those of a Deployment that are not about to go.
func (s *stage) pods(g Gomega, deployment string) []corev1.Pod {
	d := &appsv1.Deployment{}
	g.Expect(s.Get(s.Context(), s.key(deployment), d)).To(Succeed())
	list := &corev1.PodList{}
	g.Expect(s.List(s.Context(), list, client.InNamespace(s.namespace), client.MatchingLabels(d.Spec.Selector.MatchLabels))).
		To(Succeed())
	var alive []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			alive = append(alive, pod)
		}
	}
	return alive
}

// tellWhy shows what was there when a test failed.
func (s *stage) tellWhy() {
	if !s.Failed() {
		return
	}
	ctx := s.afterwards()
	for _, args := range [][]string{
		{"get", "pods,c2w,secrets", "--output", "wide"},
		{"get", "events", "--sort-by", "lastTimestamp"},
		{"describe", "pods"},
		{"describe", "c2w"},
	} {
		out, err := s.run(ctx, strings.NewReader(""), "kubectl", append([]string{"--namespace", s.namespace}, args...)...)
		s.Logf("kubectl %s (%v)\n%s", strings.Join(args, " "), err, out)
	}
	pods := &corev1.PodList{}
	if err := s.List(ctx, pods, client.InNamespace(s.namespace)); err != nil {
		s.Log(err)
	}
	for _, pod := range pods.Items {
		out, err := s.run(ctx, strings.NewReader(""), "kubectl", "--namespace", s.namespace, "logs", "--tail", "60", pod.Name)
		s.Logf("logs of %s (%v)\n%s", pod.Name, err, out)
	}
	s.tellOfTheNode()
}
