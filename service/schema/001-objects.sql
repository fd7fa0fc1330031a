-- The objects of the service. Times are microseconds since the epoch; columns noted "sealed" hold AES-256-GCM values.
CREATE TABLE infra_env (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	cluster_id TEXT NOT NULL,
	name TEXT,
	openshift_version TEXT,
	cpu_architecture TEXT,
	image_type TEXT,
	ssh_authorized_key TEXT,
	http_proxy BLOB, -- sealed: may hold credentials
	https_proxy BLOB, -- sealed
	no_proxy TEXT,
	additional_ntp_sources TEXT,
	ntp_sources TEXT,
	static_network_config TEXT,
	ignition_config_override BLOB, -- sealed
	kernel_arguments TEXT,
	additional_trust_bundle TEXT,
	rendezvous_ip TEXT,
	network_discovery_delay_seconds INTEGER NOT NULL,
	pull_secret BLOB, -- sealed
	image_token_key BLOB, -- sealed
	token_epoch INTEGER NOT NULL,
	user_name TEXT,
	org_id TEXT,
	email_domain TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);

CREATE TABLE cluster (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	openshift_cluster_id TEXT NOT NULL,
	name TEXT,
	api_vip_dns_name TEXT,
	base_dns_domain TEXT,
	openshift_version TEXT,
	cpu_architecture TEXT,
	ssh_public_key TEXT,
	http_proxy BLOB, -- sealed
	https_proxy BLOB, -- sealed
	no_proxy TEXT,
	additional_ntp_source TEXT,
	ntp_sources TEXT,
	ignition_endpoint_url TEXT,
	ignition_endpoint_ca TEXT,
	extra TEXT,
	pull_secret BLOB, -- sealed
	user_name TEXT,
	org_id TEXT,
	email_domain TEXT,
	status_updated_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);

CREATE TABLE host (
	seq INTEGER PRIMARY KEY,
	infra_env_id TEXT NOT NULL REFERENCES infra_env (id) DEFERRABLE INITIALLY DEFERRED,
	id TEXT NOT NULL,
	cluster_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	status TEXT NOT NULL,
	status_info TEXT,
	status_updated_at INTEGER NOT NULL,
	role TEXT NOT NULL,
	suggested_role TEXT NOT NULL,
	bootstrap INTEGER NOT NULL,
	slipway_agent INTEGER NOT NULL,
	checked_in_at INTEGER NOT NULL,
	timestamp INTEGER NOT NULL,
	inventory TEXT,
	inventory_hostname TEXT,
	connectivity TEXT,
	api_vip_connectivity TEXT,
	tang_connectivity TEXT,
	ntp_sources TEXT,
	domain_name_resolutions TEXT,
	validations_info TEXT,
	requested_hostname TEXT,
	installation_disk_id TEXT,
	installation_disk_path TEXT,
	disks_to_be_formatted TEXT,
	skip_formatting_disks TEXT,
	installer_args TEXT,
	installer_version TEXT,
	ignition_config_overrides BLOB, -- sealed
	machine_config_pool_name TEXT,
	node_labels TEXT,
	ignition_endpoint_http_headers BLOB, -- sealed
	ignition_endpoint_token BLOB, -- sealed
	target_ignition BLOB, -- sealed
	install_id TEXT,
	discovery_agent_version TEXT,
	disks_info TEXT,
	images_status TEXT,
	logs_info TEXT,
	user_name TEXT,
	media_disconnected INTEGER NOT NULL,
	stage TEXT NOT NULL,
	stage_text TEXT,
	progress_info TEXT,
	stage_started_at INTEGER NOT NULL,
	stage_updated_at INTEGER NOT NULL,
	stage_timed_out INTEGER NOT NULL,
	connection_timed_out INTEGER NOT NULL,
	registered_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	logs_started_at INTEGER NOT NULL,
	logs_collected_at INTEGER NOT NULL,
	UNIQUE (infra_env_id, id)
);

CREATE TABLE event (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT,
	severity TEXT,
	category TEXT,
	message TEXT,
	props TEXT,
	cluster_id TEXT NOT NULL,
	host_id TEXT NOT NULL,
	infra_env_id TEXT NOT NULL,
	event_time INTEGER NOT NULL
);
CREATE INDEX event_by_cluster ON event (cluster_id);
CREATE INDEX event_by_host ON event (host_id);
CREATE INDEX event_by_infra_env ON event (infra_env_id);

CREATE TABLE os_image (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	label TEXT,
	version TEXT,
	cpu_architecture TEXT,
	image_size INTEGER NOT NULL,
	payload_size INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	is_default INTEGER NOT NULL
);

CREATE TABLE user (
	seq INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	password_hash BLOB, -- sealed
	role INTEGER NOT NULL,
	token_epoch INTEGER NOT NULL,
	created_at INTEGER NOT NULL
);

CREATE TABLE revoked_token (
	jti TEXT PRIMARY KEY
) WITHOUT ROWID;
