package controller

import (
	"maps"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// keyTime is how long API keys are kept that no resource uses.
const keyTime = 10 * time.Minute

// apiKeyCache keeps the API keys that were read, so that a Secret is read once for each version that the metadata watch
// shows. Of a Secret it keeps only the keys that a resource references.
type apiKeyCache struct {
	mu      sync.Mutex
	secrets map[types.NamespacedName]*cachedSecret
}

// cachedSecret is one version of a Secret.
type cachedSecret struct {
	uid     types.UID
	version string
	keys    map[string]cachedKey
	usedAt  time.Time
	// refusals is how often the API server has refused the in-use finalizer for this version, protectAt when it may be
	// tried again.
	refusals  int
	protectAt time.Time
}

// cachedKey is an API key, or why there is none.
type cachedKey struct {
	value   hub.Secret
	problem *plan.Problem
}

// read returns an API key if it is from the version of the Secret that meta is of.
func (c *apiKeyCache) read(
	name types.NamespacedName, key string, meta *metav1.PartialObjectMetadata, now time.Time,
) (cachedKey, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.secrets[name]
	if s == nil || s.uid != meta.UID || s.version != meta.ResourceVersion {
		return cachedKey{}, false
	}
	s.usedAt = now
	found, ok := s.keys[key]
	return found, ok
}

// last returns an API key that was read within keyTime, whatever became of its Secret.
func (c *apiKeyCache) last(name types.NamespacedName, key string, now time.Time) (hub.Secret, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.secrets[name]
	if s == nil || now.Sub(s.usedAt) > keyTime {
		return hub.Secret{}, false
	}
	found, ok := s.keys[key]
	if !ok || found.problem != nil {
		return hub.Secret{}, false
	}
	s.usedAt = now
	return found.value, true
}

// keep adds an API key, and drops those that have not been used for keyTime.
func (c *apiKeyCache) keep(
	name types.NamespacedName, key string, meta *metav1.PartialObjectMetadata, found cachedKey, now time.Time,
) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.secrets, func(_ types.NamespacedName, s *cachedSecret) bool {
		return now.Sub(s.usedAt) > keyTime
	})
	if c.secrets == nil {
		c.secrets = map[types.NamespacedName]*cachedSecret{}
	}
	s := c.secrets[name]
	if s == nil || s.uid != meta.UID || s.version != meta.ResourceVersion {
		s = &cachedSecret{uid: meta.UID, version: meta.ResourceVersion, keys: map[string]cachedKey{}}
		c.secrets[name] = s
	}
	s.keys[key], s.usedAt = found, now
}

// refuse records that the API server refused the in-use finalizer, and returns how often it has for this version.
func (c *apiKeyCache) refuse(name types.NamespacedName, now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.secrets[name]
	if s == nil {
		return 1
	}
	s.refusals++
	s.protectAt = now.Add(plan.BackOff(s.refusals))
	return s.refusals
}

// protectAt returns when the in-use finalizer may be tried again, zero for at once.
func (c *apiKeyCache) protectAt(name types.NamespacedName) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.secrets[name]; s != nil {
		return s.protectAt
	}
	return time.Time{}
}
