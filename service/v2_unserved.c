/*
 * Operations of the reference that are known and not served: 501 instead of 404, so that clients can tell the two apart (assisted-v2 §3.9).
 * They are for clusters that are installed from nothing, and for user interfaces.
 */
#include "service/route.h"

#define C ROUTE_BASE "/v2/clusters"
#define ONE C "/{cluster_id}"
#define USER AUTH_USER
#define AGENT AUTH_AGENT

const struct route v2_unserved_routes[] = {
	{ "POST", C, "v2RegisterCluster", USER },
	{ "POST", C "/disconnected", "v2RegisterDisconnectedCluster", USER },
	{ "PUT", ONE "/progress", "v2UpdateClusterFinalizingProgress", AGENT },
	{ "GET", ONE "/supported-platforms", "GetClusterSupportedPlatforms", USER },
	{ "GET", ONE "/downloads/credentials-presigned", "V2GetPresignedForClusterCredentials",
	  USER },
	{ "GET", ONE "/credentials", "V2GetCredentials", USER },
	{ "GET", ONE "/downloads/files", "V2DownloadClusterFiles", USER | AGENT | AUTH_URL,
	  ROUTE_OCTET },
	{ "GET", ONE "/downloads/credentials", "V2DownloadClusterCredentials", USER | AUTH_URL,
	  ROUTE_OCTET },
	{ "GET", ONE "/downloads/files-presigned", "V2GetPresignedForClusterFiles", USER },
	{ "GET", ONE "/install-config", "v2GetClusterInstallConfig", USER },
	{ "PATCH", ONE "/install-config", "v2UpdateClusterInstallConfig", USER },
	{ "GET", ONE "/preflight-requirements", "v2GetPreflightRequirements", USER },
	{ "POST", ONE "/uploads/ingress-cert", "v2UploadClusterIngressCert", AGENT },
	{ "POST", ONE "/actions/complete-installation", "v2CompleteInstallation", AGENT },
	{ "PUT", ONE "/logs-progress", "v2UpdateClusterLogsProgress", AGENT },
	{ "GET", ONE "/manifests", "V2ListClusterManifests", USER },
	{ "POST", ONE "/manifests", "V2CreateClusterManifest", USER },
	{ "PATCH", ONE "/manifests", "V2UpdateClusterManifest", USER },
	{ "DELETE", ONE "/manifests", "V2DeleteClusterManifest", USER },
	{ "GET", ONE "/manifests/files", "V2DownloadClusterManifest", USER, ROUTE_OCTET },
	{ "GET", ONE "/monitored-operators", "V2ListOfClusterOperators", USER | AGENT },
	{ "PUT", ONE "/monitored-operators", "v2ReportMonitoredOperatorStatus", AGENT },
	{ "GET", ONE "/ignored-validations", "v2GetIgnoredValidations", USER },
	{ "PUT", ONE "/ignored-validations", "v2SetIgnoredValidations", USER },
	{ "GET", ONE "/ui-settings", "V2GetClusterUISettings", USER },
	{ "PUT", ONE "/ui-settings", "V2UpdateClusterUISettings", USER },
	{ "GET", ROUTE_BASE "/v2/operators/bundles", "V2ListBundles", USER },
	{ "GET", ROUTE_BASE "/v2/operators/bundles/{bundle_id}", "V2GetBundle", USER },
	{ "GET", ROUTE_BASE "/v2/support-levels/features", "GetSupportedFeatures", USER },
	{ "GET", ROUTE_BASE "/v2/support-levels/features/detailed", "GetDetailedSupportedFeatures",
	  USER },
	{ "GET", ROUTE_BASE "/v2/support-levels/architectures", "GetSupportedArchitectures", USER },
	ROUTE_END,
};
