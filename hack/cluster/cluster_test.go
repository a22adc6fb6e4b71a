package cluster_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// audit is where the shared control plane writes its audit log.
var (
	shared *cluster.Cluster
	audit  string
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cluster-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	audit = filepath.Join(dir, "audit.log")
	policy := filepath.Join(dir, "policy.yaml")
	rules := "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
	if err := os.WriteFile(policy, []byte(rules), 0o600); err != nil {
		panic(err)
	}
	options := cluster.Options{
		ControllerManager: true,
		APIServerFlags:    map[string]string{"audit-policy-file": policy, "audit-log-path": audit},
	}
	return cluster.Main(m, options, func(c *cluster.Cluster) { shared = c })
}

func TestANamespaceGoesWithAllThatIsInIt(t *testing.T) {
	c := adminClient(t)
	namespace := cluster.Namespace(t, c)
	secret := create(t, c, secretIn(namespace, "inside"))

	if err := c.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		t.Fatal(err)
	}

	eventuallyGone(t, c, secret)
	eventuallyGone(t, c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
}

func TestAnOwnedObjectIsCollectedAfterItsOwner(t *testing.T) {
	c := adminClient(t)
	namespace := cluster.Namespace(t, c)
	owner := create(t, c, secretIn(namespace, "owner"))
	owned := secretIn(namespace, "owned")
	owned.OwnerReferences = []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "Secret", Name: owner.Name, UID: owner.UID},
	}
	create(t, c, owned)
	bystander := create(t, c, secretIn(namespace, "bystander"))

	if err := c.Delete(t.Context(), owner); err != nil {
		t.Fatal(err)
	}

	eventuallyGone(t, c, owned)
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(bystander), bystander); err != nil {
		t.Errorf("the Secret without an owner must stay: %v", err)
	}
}

func TestAUserMayDoOnlyWhatRBACAllows(t *testing.T) {
	c := adminClient(t)
	namespace := cluster.Namespace(t, c)
	create(t, c, secretIn(namespace, "one"))
	config, err := shared.AddUser("nadia", "readers")
	if err != nil {
		t.Fatal(err)
	}
	nadia := newClient(t, config)

	if err := nadia.List(t.Context(), &corev1.SecretList{}, client.InNamespace(namespace)); !apierrors.IsForbidden(err) {
		t.Fatalf("without a role: want forbidden, got %v", err)
	}
	allow(t, c, namespace, rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "readers"})
	NewWithT(t).Eventually(func() error {
		return nadia.List(t.Context(), &corev1.SecretList{}, client.InNamespace(namespace))
	}, time.Minute).Should(Succeed(), "with a role for her group")
}

func TestAServiceAccountActsWithItsOwnToken(t *testing.T) {
	c := adminClient(t)
	namespace := cluster.Namespace(t, c)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "robot"}}
	create(t, c, account)
	config, err := shared.ServiceAccount(t.Context(), namespace, "robot")
	if err != nil {
		t.Fatal(err)
	}

	err = newClient(t, config).List(t.Context(), &corev1.SecretList{}, client.InNamespace(namespace))
	if !apierrors.IsForbidden(err) {
		t.Fatalf("without a role: want forbidden, got %v", err)
	}
	allow(t, c, namespace, rbacv1.Subject{Kind: "ServiceAccount", Namespace: namespace, Name: "robot"})
	file := kubeconfigFile(t, config)
	NewWithT(t).Eventually(func() (string, error) {
		out, err := exec.CommandContext(t.Context(), shared.Binary("kubectl"), "--kubeconfig", file,
			"-n", namespace, "get", "secrets").CombinedOutput()
		return string(out), err
	}, time.Minute, time.Second).Should(ContainSubstring("No resources found"), "kubectl with its kubeconfig")
}

func TestAFlagReachesTheAPIServer(t *testing.T) {
	c := adminClient(t)
	secret := create(t, c, secretIn(cluster.Namespace(t, c), "audited"))
	if err := c.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}

	NewWithT(t).Eventually(func() (bool, error) {
		log, err := os.ReadFile(audit)
		return bytes.Contains(log, []byte(`"resource":"secrets","namespace":"`+secret.Namespace+`","name":"audited"`)), err
	}, time.Minute).Should(BeTrue(), "the audit log tells that the Secret was deleted")
}

func TestMissingBinariesAreToldWithTheWayOut(t *testing.T) {
	t.Setenv("KUBEBUILDER_ASSETS", t.TempDir())

	_, err := cluster.Start(t.Context(), cluster.Options{})

	if !errors.Is(err, cluster.ErrNoBinaries) {
		t.Fatalf("want ErrNoBinaries, got %v", err)
	}
}

func TestStopEndsEveryProcessAndRemovesItsFiles(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	c, err := cluster.Start(t.Context(), cluster.Options{ControllerManager: true})
	if err != nil {
		t.Fatal(err)
	}
	access := newClient(t, c.Config)

	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}

	if err := access.List(t.Context(), &corev1.NamespaceList{}); err == nil {
		t.Error("the API server still answers")
	}
	mustBeEmpty(t, temp)
	if err := c.Stop(); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
}

func TestAFailedStartLeavesNothingBehind(t *testing.T) {
	wrong := map[string]string{"no-such-flag": "x"}
	for name, options := range map[string]cluster.Options{
		"etcd": {EtcdFlags: wrong}, "kube-apiserver": {APIServerFlags: wrong},
	} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)

			_, err := cluster.Start(t.Context(), options)

			if err == nil {
				t.Error("it started with a flag that does not exist")
			}
			mustBeEmpty(t, temp)
		})
	}
}
