package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxQuery      = 512
	lookUpTimeout = 5 * time.Second
)

// names answers for the names of Services, as a cluster's DNS does, and knows no others.
type names struct{ client *http.Client }

// serve answers until the node ends. A query that cannot be read or answered is left to time out.
func (n names) serve(ctx context.Context, conn net.PacketConn) {
	buffer := make([]byte, maxQuery)
	for {
		size, peer, err := conn.ReadFrom(buffer)
		if err != nil {
			fmt.Fprintln(os.Stderr, "names:", err)
			return
		}
		query := string(buffer[:size])
		go func() {
			answer, err := n.answer(ctx, []byte(query))
			if err == nil {
				_, err = conn.WriteTo(answer, peer)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "names:", err)
			}
		}()
	}
}

func (n names) answer(ctx context.Context, query []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(query)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	address, err := n.lookUp(ctx, question.Name.String())
	if err != nil {
		return nil, err
	}
	message := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, Authoritative: true, RecursionDesired: header.RecursionDesired,
			RecursionAvailable: true,
		},
		Questions: []dnsmessage.Question{question},
	}
	switch {
	case !address.IsValid():
		message.RCode = dnsmessage.RCodeNameError
	case question.Type == dnsmessage.TypeA:
		message.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class, TTL: 5},
			Body:   &dnsmessage.AResource{A: address.As4()},
		}}
	}
	return message.Pack()
}

// lookUp gives the address of the Service that a name means; none where it means none.
func (n names) lookUp(ctx context.Context, name string) (netip.Addr, error) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	labels := strings.Split(strings.TrimSuffix(name, ".cluster.local"), ".")
	if len(labels) != 3 || labels[2] != "svc" {
		return netip.Addr{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	var service struct {
		Spec struct {
			ClusterIP string `json:"clusterIP"`
		} `json:"spec"`
	}
	status, err := get(ctx, n.client, "/api/v1/namespaces/"+labels[1]+"/services/"+labels[0], &service)
	if err != nil || status == http.StatusNotFound {
		return netip.Addr{}, err
	}
	return netip.ParseAddr(service.Spec.ClusterIP)
}

// get asks the API server, and reads what a 200 brings.
func get(ctx context.Context, client *http.Client, path string, into any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+apiServer+path, nil)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK && into != nil {
		err = json.NewDecoder(response.Body).Decode(into)
	} else if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNotFound {
		err = fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return response.StatusCode, err
}
