#include "agent/net_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/cleanup.h"

#define NOBODY 65534

/* Calls without a look at their arguments. Names that an architecture does not have are skipped (libseccomp gives __NR_SCMP_ERROR or a pseudo number). */
static const char *const allowed[] = {
	/* reading and writing what is open */
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"pwrite64",
	"lseek",
	"close",
	"fstat",
	"newfstatat",
	"fstatat64",
	"stat",
	"lstat",
	"statx",
	"fcntl",
	"dup",
	"dup2",
	"dup3",
	"ftruncate",
	"getdents64",
	"readlink",
	"readlinkat",
	"access",
	"faccessat",
	"faccessat2",
	"getcwd",
	"fadvise64",
	"close_range",
	/* sockets; socket() itself is below */
	"connect",
	"bind",
	"getsockname",
	"getpeername",
	"setsockopt",
	"getsockopt",
	"shutdown",
	"socketpair",
	"recvfrom",
	"sendto",
	"recvmsg",
	"sendmsg",
	"recvmmsg",
	"sendmmsg",
	/* waiting */
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"_newselect",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"eventfd2",
	"pipe",
	"pipe2",
	"nanosleep",
	"clock_nanosleep",
	"restart_syscall",
	"timerfd_create",
	"timerfd_settime",
	/* memory */
	"munmap",
	"mremap",
	"madvise",
	"brk",
	"memfd_create",
	/* threads: libcurl's resolver */
	"futex",
	"futex_time64",
	"set_robust_list",
	"rseq",
	"sched_yield",
	"sched_getaffinity",
	"membarrier",
	"exit",
	"exit_group",
	/* signals to ourselves */
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigaltstack",
	"tgkill",
	/* who and when */
	"getpid",
	"gettid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getresuid",
	"getresgid",
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"gettimeofday",
	"time",
	"getrandom",
	"uname",
	"sysinfo",
	"getrlimit",
	"getrusage",
};

static const int socket_families[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK };
static const unsigned long ioctls[] = { FIONREAD,    FIONBIO,      SIOCGIFINDEX,
					SIOCGIFNAME, SIOCGIFFLAGS, SIOCGIFADDR };

static int find_user(const char *user, uid_t *ret_uid, gid_t *ret_gid, struct fault *err)
{
	const struct passwd *p = getpwnam(user ? user : "slipway");
	if (!p && user)
		return fault_set(err, -ENOENT, "there is no user \"%s\"", user);
	*ret_uid = p ? p->pw_uid : NOBODY;
	*ret_gid = p ? p->pw_gid : NOBODY;
	if (*ret_uid == 0)
		return fault_set(err, -EINVAL, "the network process must not run as root");
	return 0;
}

int sandbox_drop_user(const char *user, struct fault *err)
{
	uid_t uid = NOBODY;
	gid_t gid = NOBODY;

	if (geteuid() != 0)
		return 0;
	int r = find_user(user, &uid, &gid, err);
	if (r < 0)
		return r;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return fault_set(err, -errno, "cannot become uid %u: %s", uid, strerror(errno));
	if (setuid(0) == 0)
		return fault_set(err, -EPERM, "root rights came back after giving them up");
	return 0;
}

static int allow_by_name(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		int nr = seccomp_syscall_resolve_name(allowed[i]);
		if (nr == __NR_SCMP_ERROR)
			continue;
		int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int allow_sockets(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(socket_families); i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
					 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)socket_families[i]));
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					 SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, ioctls[i]));
		if (r < 0)
			return r;
	}
	return 0;
}

/* Files only for reading: resolv.conf, hosts, nsswitch.conf, shared objects of name services. */
static int allow_open(scmp_filter_ctx ctx)
{
	const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
	return r;
}

/* Memory is writable or executable, never both: what was received cannot be run. Shared objects are mapped to be read and run. */
static int allow_mappings(scmp_filter_ctx ctx)
{
	static const char *const calls[] = { "mmap", "mmap2" };
	static const scmp_datum_t kinds[] = { 0, PROT_WRITE, PROT_EXEC };

	for (size_t i = 0; i < ARRAY_SIZE(calls) * ARRAY_SIZE(kinds); i++) {
		int nr = seccomp_syscall_resolve_name(calls[i / ARRAY_SIZE(kinds)]);
		if (nr == __NR_SCMP_ERROR)
			continue;
		int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
					 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC,
						 kinds[i % ARRAY_SIZE(kinds)]));
		if (r < 0)
			return r;
	}
	return 0;
}

static int allow_threads(scmp_filter_ctx ctx)
{
	const scmp_datum_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;

	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, flags, flags));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* Nothing becomes executable that was not mapped so. */
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				     SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	/* Reading limits; setting them needs a third argument. */
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A2(SCMP_CMP_EQ, 0));
	return r;
}

static void filter_releasep(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

int sandbox_enter(bool only_log, struct fault *err)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0)
		return fault_set(err, -errno, "cannot give up privileges: %s", strerror(errno));

	AUTO(filter_releasep)
	scmp_filter_ctx ctx = seccomp_init(only_log ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM));
	if (!ctx)
		return fault_oom(err);
	int r = allow_by_name(ctx);
	if (!r)
		r = allow_sockets(ctx);
	if (!r)
		r = allow_open(ctx);
	if (!r)
		r = allow_mappings(ctx);
	if (!r)
		r = allow_threads(ctx);
	/* All threads get the filter; there is one at this point, but a library may have started another. */
	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!r)
		r = seccomp_load(ctx);
	if (r < 0)
		return fault_set(err, r, "cannot load the system-call filter: %s", strerror(-r));
	return 0;
}
