package cluster

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Kubeconfig is a kubeconfig file for the administrator of Config.
func (c *Cluster) Kubeconfig() []byte {
	return append([]byte(nil), c.kubeconfig...)
}

// AddUser makes a user with a client certificate and no rights but those that RBAC gives to its name and groups.
func (c *Cluster) AddUser(name string, groups ...string) (*rest.Config, error) {
	user, err := c.env.AddUser(envtest.User{Name: name, Groups: groups}, baseConfig(c.Config))
	if err != nil {
		return nil, fmt.Errorf("add user %s: %w", name, err)
	}
	return user.Config(), nil
}

// ServiceAccount is the access of an existing ServiceAccount, by a token that lives for an hour.
func (c *Cluster) ServiceAccount(ctx context.Context, namespace, name string) (*rest.Config, error) {
	admin, err := client.New(c.Config, client.Options{})
	if err != nil {
		return nil, err
	}
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = namespace, name
	token := &authenticationv1.TokenRequest{}
	if err := admin.SubResource("token").Create(ctx, account, token); err != nil {
		return nil, fmt.Errorf("request a token for ServiceAccount %s/%s: %w", namespace, name, err)
	}
	config := rest.AnonymousClientConfig(c.Config)
	config.QPS, config.Burst = c.Config.QPS, c.Config.Burst
	config.BearerToken = token.Status.Token
	return config, nil
}

// Kubeconfig is a kubeconfig file that gives the access of config.
func Kubeconfig(config *rest.Config) ([]byte, error) {
	const name = "local"
	file := api.NewConfig()
	file.Clusters[name] = &api.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos[name] = &api.AuthInfo{
		ClientCertificateData: config.CertData,
		ClientKeyData:         config.KeyData,
		Token:                 config.BearerToken,
	}
	file.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	return clientcmd.Write(*file)
}

func baseConfig(config *rest.Config) *rest.Config {
	return &rest.Config{QPS: config.QPS, Burst: config.Burst}
}
