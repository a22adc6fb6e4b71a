package controller

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// logged returns the lines that a logger derived from a safe one writes at the highest level.
func logged(write func(logr.Logger)) []string {
	var lines []string
	logger := SafeLogger(funcr.New(func(prefix, args string) { lines = append(lines, prefix+" "+args) },
		funcr.Options{Verbosity: 10}))
	write(logger.WithName("cache").WithValues("a", "b").V(1))
	return lines
}

func TestASafeLoggerDropsTheLevelsOfBodies(t *testing.T) {
	lines := logged(func(logger logr.Logger) {
		for level := range 10 { // on top of 1
			logger.V(level).Info(fmt.Sprintf("at %d", level+1))
		}
	})
	if len(lines) != bodyLevel-1 || !strings.Contains(lines[len(lines)-1], "at 7") {
		t.Errorf("want the lines up to level 7, got %q", lines)
	}
	SafeLogger(logr.Discard()).Info("a logger without a sink is left as it is")
}

func TestARefusalInATerminatingNamespaceIsNoError(t *testing.T) {
	refusal := &apierrors.StatusError{ErrStatus: metav1.Status{
		Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "the namespace is being terminated",
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}},
	}}
	for name, c := range map[string]struct {
		err     error
		isError bool
	}{
		"refused because the namespace is terminating": {refusal, false},
		"refused for another reason":                   {apierrors.NewForbidden(corev1.Resource("events"), "e", nil), true},
		"any other error":                              {errors.New("no connection"), true},
		"no error at all":                              {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			lines := logged(func(logger logr.Logger) { logger.Error(c.err, "Server rejected event", "event", "e") })
			if len(lines) != 1 || strings.Contains(lines[0], `"error"=`) != c.isError {
				t.Errorf("want one line, at level error: %t, got %q", c.isError, lines)
			}
		})
	}
}
