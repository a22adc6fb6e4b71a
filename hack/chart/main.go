// Program chart brings into the Helm chart what comes from elsewhere: the CRD, alerts and dashboards. It is to be run
// at the top of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// chart is the folder of the chart.
const chart = "charts/chatt2-webhook-operator"

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

// run writes the files of the chart below root that are taken over.
func run(root string) error {
	files, err := takenOver(root)
	if err != nil {
		return err
	}
	for path, content := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// sources are files of config by the folder of the chart that they are copied to.
var sources = map[string]string{
	"files/crds":       "crd/bases/*.yaml",
	"files":            "prometheus/rules.yaml",
	"files/dashboards": "grafana/*.json",
}

// takenOver are the files of the chart that others are the source of, by their path below root.
func takenOver(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for folder, pattern := range sources {
		found, err := filepath.Glob(filepath.Join(root, "config", pattern))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("config has no %s", pattern)
		}
		for _, source := range found {
			content, err := os.ReadFile(source)
			if err != nil {
				return nil, err
			}
			files[filepath.Join(chart, folder, filepath.Base(source))] = content
		}
	}
	return files, nil
}
