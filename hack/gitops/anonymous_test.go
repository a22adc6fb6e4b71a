package gitops_test

import (
	"encoding/json"
	"regexp"
	"strings"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// What stands in testdata for what is another one in each run.
const (
	someTime        = "2026-01-01T00:00:00Z"
	someEndpoint    = "https://your-server.example"
	someWebhook     = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
	someApplication = "00000000-0000-0000-0000-000000000001"
	someUID         = "11111111-2222-3333-4444-555555555555"
	someVersion     = "1000"
)

var (
	aTime = regexp.MustCompile(`"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"`)
	// An annotation's own quotes are escaped.
	aHash    = regexp.MustCompile(`((?:apiKeyHash|headersHash|fingerprint)\\?":\\?")[0-9a-f]+`)
	aVersion = regexp.MustCompile(`"resourceVersion":"[0-9]+"`)
)

// anonymous is a resource in YAML as `kubectl get -o yaml` shows it, without what differs from run to run.
func (w *world) anonymous(object *unstructured.Unstructured) string {
	w.Helper()
	object = object.DeepCopy()
	unstructured.RemoveNestedField(object.Object, "metadata", "managedFields")
	content, err := json.Marshal(object.Object)
	w.Expect(err).NotTo(HaveOccurred())
	replace := []string{
		w.endpoint, someEndpoint, w.namespace, "chat", w.app.ID, someApplication, string(object.GetUID()), someUID,
	}
	if id, _, _ := unstructured.NestedString(object.Object, "status", "webhookID"); id != "" {
		replace = append(replace, id, someWebhook)
	}
	plain := strings.NewReplacer(replace...).Replace(string(content))
	plain = aTime.ReplaceAllString(plain, `"`+someTime+`"`)
	plain = aHash.ReplaceAllString(plain, "${1}0123456789abcdef")
	plain = aVersion.ReplaceAllString(plain, `"resourceVersion":"`+someVersion+`"`)
	out, err := yaml.JSONToYAML([]byte(plain))
	w.Expect(err).NotTo(HaveOccurred())
	return string(out)
}
