// A controller as most are written, with controller-runtime, for a comparison of speed: it stores a given status in each
// ChaosDemo of one namespace that has none, with the call and the guard that the operator uses.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

type reconciler struct {
	client.Client
	kind   schema.GroupVersionKind
	status map[string]any
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	demo := &unstructured.Unstructured{}
	demo.SetGroupVersionKind(r.kind)
	if err := r.Get(ctx, request.NamespacedName, demo); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	// The default is -1.
	if observed, _, _ := unstructured.NestedInt64(demo.Object, "status", "observedGeneration"); observed > 0 {
		return ctrl.Result{}, nil
	}
	applied := &unstructured.Unstructured{Object: map[string]any{"status": r.status}}
	applied.SetGroupVersionKind(r.kind)
	applied.SetName(demo.GetName())
	applied.SetNamespace(demo.GetNamespace())
	applied.SetUID(demo.GetUID())
	applied.SetResourceVersion(demo.GetResourceVersion())
	configuration := client.ApplyConfigurationFromUnstructured(applied)
	return ctrl.Result{}, r.Status().Apply(ctx, configuration, client.FieldOwner("go-controller"), client.ForceOwnership)
}

func main() {
	namespace := flag.String("namespace", "", "the namespace of the objects")
	status := flag.String("status", "", "a JSON file with the status to store")
	concurrency := flag.Int("concurrency", 1, "reconciles at the same time")
	version := flag.String("api-version", "", "group and version of ChaosDemo")
	flag.Parse()
	if err := run(*namespace, *status, *version, *concurrency); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(namespace, statusFile, apiVersion string, concurrency int) error {
	log.SetLogger(zap.New())
	text, err := os.ReadFile(statusFile)
	if err != nil {
		return err
	}
	status := map[string]any{}
	if err := json.Unmarshal(text, &status); err != nil {
		return err
	}
	config := ctrl.GetConfigOrDie()
	// No limit by the client, as in the operator.
	config.QPS = -1
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		Client:  client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		Metrics: metrics.Options{BindAddress: "0"},
	})
	if err != nil {
		return err
	}
	kind := schema.FromAPIVersionAndKind(apiVersion, "ChaosDemo")
	watched := &unstructured.Unstructured{}
	watched.SetGroupVersionKind(kind)
	err = ctrl.NewControllerManagedBy(manager).
		For(watched).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency}).
		Complete(&reconciler{Client: manager.GetClient(), kind: kind, status: status})
	if err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
