package hub_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func TestNew_refuses_a_configuration_that_cannot_work_and_does_not_repeat_it(t *testing.T) {
	for name, config := range map[string]hub.Config{
		"no base URL":          {APIKey: hub.NewSecret("k")},
		"no host":              {BaseURL: "https:///canary", APIKey: hub.NewSecret("k")},
		"no scheme":            {BaseURL: "canary.example", APIKey: hub.NewSecret("k")},
		"another scheme":       {BaseURL: "ftp://canary.example", APIKey: hub.NewSecret("k"), AllowInsecure: true},
		"plain http":           {BaseURL: "http://canary.example", APIKey: hub.NewSecret("k")},
		"user info":            {BaseURL: "https://u:canary@h.example", APIKey: hub.NewSecret("k")},
		"a query":              {BaseURL: "https://h.example/?canary", APIKey: hub.NewSecret("k")},
		"an empty query":       {BaseURL: "https://canary.example/?", APIKey: hub.NewSecret("k")},
		"a fragment":           {BaseURL: "https://h.example/#canary", APIKey: hub.NewSecret("k")},
		"what does not parse":  {BaseURL: "https://u:canary@h.example:port", APIKey: hub.NewSecret("k")},
		"no key":               {BaseURL: "https://h.example"},
		"a key of two lines":   {BaseURL: "https://h.example", APIKey: hub.NewSecret("canary\n")},
		"a key with an umlaut": {BaseURL: "https://h.example", APIKey: hub.NewSecret("canäry")},
		"a key with a space":   {BaseURL: "https://h.example", APIKey: hub.NewSecret(" canary")},
		"a user agent of two lines": {
			BaseURL: "https://h.example", APIKey: hub.NewSecret("k"), UserAgent: "canary\r\nx: y",
		},
	} {
		if _, err := hub.New(config); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error repeats a value: %v", name, err)
		}
	}
	for _, url := range []string{"https://h.example", "https://h.example:8443/", "https://[::1]/prefix/"} {
		if _, err := hub.New(hub.Config{BaseURL: url, APIKey: hub.NewSecret("k")}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestClient_keeps_a_prefix_of_the_base_URL(t *testing.T) {
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.Path }))
	defer server.Close()
	_ = newClient(t, server.URL+"/prefix/").DeleteWebhook(t.Context(), strings.ToUpper(id))
	if want := "/prefix/v1/organization/webhook/" + id; path != want {
		t.Errorf("the path is %s, want %s", path, want)
	}
}
