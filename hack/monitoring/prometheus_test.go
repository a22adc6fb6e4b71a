package monitoring_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// interval is how often Prometheus scrapes and looks at its rules.
const interval = 500 * time.Millisecond

// faster is how much sooner alerts fire than they do for users.
const faster = 120

// monitor is a running Prometheus.
type monitor struct {
	*testing.T
	url    string
	client *http.Client
}

// startPrometheus starts Prometheus with the alerts in fast motion and waits until it answers. It scrapes the targets,
// host:port by the name of a Pod, as config/prometheus/monitor.yaml says.
func startPrometheus(t *testing.T, token string, targets map[string]string) *monitor {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), []byte(token))
	rules, err := yaml.Marshal(fastAlerts(t))
	must(t, err)
	write(t, filepath.Join(dir, "rules.yaml"), rules)
	config, err := yaml.Marshal(scraping(targets))
	must(t, err)
	write(t, filepath.Join(dir, "prometheus.yaml"), config)
	address := freeAddress(t)
	cmd := exec.Command(program(t, "prometheus"), "--config.file=prometheus.yaml", "--storage.tsdb.path=data",
		"--web.listen-address="+address, "--log.level=warn")
	cmd.Dir = dir
	run(t, cmd)
	p := &monitor{T: t, url: "http://" + address, client: &http.Client{Timeout: 10 * time.Second}}
	eventually(t, "Prometheus is ready", func() bool { return p.status("/-/ready") == http.StatusOK })
	return p
}

// scraping is the configuration of Prometheus: what its operator makes of the ServiceMonitor, by hand.
func scraping(targets map[string]string) map[string]any {
	var static []map[string]any
	for pod, address := range targets {
		static = append(static, map[string]any{"targets": []string{address}, "labels": map[string]string{"pod": pod}})
	}
	return map[string]any{
		"global":     map[string]any{"scrape_interval": interval.String(), "evaluation_interval": interval.String()},
		"rule_files": []string{"rules.yaml"},
		"scrape_configs": []map[string]any{{
			"job_name": "chatt2-webhook-operator", "scheme": "https", "honor_labels": true,
			"authorization":  map[string]string{"credentials_file": "token"},
			"tls_config":     map[string]bool{"insecure_skip_verify": true},
			"static_configs": static,
		}},
	}
}

// fastAlerts are those of config in fast motion. No signing secret is overdue here, so one that is due soon stands for
// it.
func fastAlerts(t *testing.T) groups {
	t.Helper()
	all := alerts(t)
	for i := range all.Groups[0].Rules {
		one := &all.Groups[0].Rules[i]
		one.For = fast(one.For)
		one.Expr = strings.ReplaceAll(fast(one.Expr), "-3600", "3600")
	}
	return all
}

var minutes = regexp.MustCompile(`\b([0-9]+)([mh])\b`)

func fast(text string) string {
	return minutes.ReplaceAllStringFunc(text, func(duration string) string {
		d, err := time.ParseDuration(duration)
		if err != nil {
			return duration
		}
		return strconv.FormatInt((d/faster).Milliseconds(), 10) + "ms"
	})
}

func (p *monitor) status(path string) int {
	answer, err := p.client.Get(p.url + path)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

// get asks the API of Prometheus.
func (p *monitor) get(into any, path string, arguments url.Values) {
	p.Helper()
	answer, err := p.client.Get(p.url + "/api/v1/" + path + "?" + arguments.Encode())
	must(p.T, err)
	defer answer.Body.Close()
	envelope := struct {
		Status, Error string
		Data          any
	}{Data: into}
	must(p.T, json.NewDecoder(answer.Body).Decode(&envelope))
	if envelope.Status != "success" {
		p.Fatalf("%s %v: %s", path, arguments, envelope.Error)
	}
}

// sample is a time in seconds and a number.
type sample [2]any

func (s sample) at() float64 {
	at, _ := s[0].(float64)
	return at
}

func (s sample) value() float64 {
	text, _ := s[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("Prometheus answers %v", s))
	}
	return value
}

// series are what a query gives: its present value, or those over a time.
type series struct {
	Metric map[string]string
	Value  sample
	Values []sample
}

func (p *monitor) query(expression string) []series {
	p.Helper()
	var result struct{ Result []series }
	p.get(&result, "query", url.Values{"query": {expression}})
	return result.Result
}

func (p *monitor) over(expression string, from, to time.Time, step time.Duration) []series {
	p.Helper()
	var result struct{ Result []series }
	p.get(&result, "query_range", url.Values{
		"query": {expression}, "start": {seconds(from)}, "end": {seconds(to)}, "step": {step.String()},
	})
	return result.Result
}

func seconds(at time.Time) string {
	return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)
}

// fires waits until an alert fires, for any of what it is about.
func (p *monitor) fires(alert string) {
	p.Helper()
	eventually(p.T, alert+" fires", func() bool {
		return len(p.query(`ALERTS{alertstate="firing",alertname="`+alert+`"}`)) > 0
	})
}

// quiet waits until an alert does not fire.
func (p *monitor) quiet(alert string) {
	p.Helper()
	eventually(p.T, alert+" is over", func() bool {
		return len(p.query(`ALERTS{alertstate="firing",alertname="`+alert+`"}`)) == 0
	})
}

// program is the one that is installed, such as Debian's, or else that which go.mod names as a tool. That is built,
// without service discoveries and pages, which takes minutes the first time.
func program(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		t.Logf("%s is %s", name, path)
		return path
	}
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "remove_all_sd", "-o", path,
		"github.com/prometheus/prometheus/cmd/"+name)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}
