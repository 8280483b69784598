/* The id of the container, from lines as they stand in /proc/self/cgroup and /proc/self/mountinfo of real ones. */
#include <string.h>

#include "test.h"
#include "trace/detect.h"

#define A "3f1c2a9d7be04c5f8a6b1e2d3c4f5a60718293a4b5c6d7e8f90123456789abcd"
#define B "0011223344556677889900aabbccddeeff00112233445566778899aabbccddee"
#define POD "4a2b1c3d_5e6f_7081_92a3_b4c5d6e7f809"

struct row {
    const char *what, *text, *id; /* NULL: none */
};

static void check(const struct row *row, bool (*parse)(const char *text, char out[65]))
{
    char id[65] = "";
    const bool found = parse(row->text, id);
    if (found != (row->id != NULL) || strcmp(id, row->id ? row->id : "")) fail_msg("%s: found \"%s\"", row->what, id);
}

static void the_id_stands_in_the_cgroup(void **state)
{
    (void)state;
    static const struct row table[] = {
        {"docker, v1", "12:memory:/docker/" A "\n11:cpu,cpuacct:/docker/" A "\n1:name=systemd:/docker/" A "\n", A},
        {"docker under systemd, v1", "10:freezer:/\n9:pids:/system.slice/docker-" A ".scope\n", A},
        {"docker, v2, cgroups of the host", "0::/system.slice/docker-" A ".scope\n", A},
        {"docker in docker", "0::/docker/" B "/docker/" A "\n", A},
        {"docker with a parent of its own", "4:cpu:/jobs/job_17/" A "\n", A},
        {"kubernetes with docker, v1", "11:memory:/kubepods/besteffort/pod4a2b1c3d-5e6f-7081-92a3-b4c5d6e7f809/" A "\n", A},
        {"kubernetes with docker under systemd",
         "2:cpuset:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD ".slice/docker-" A ".scope\n", A},
        {"kubernetes with containerd, v2",
         "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD ".slice/cri-containerd-" A ".scope\n", A},
        {"containerd, with colons", "5:devices:/system.slice/containerd.service/kubepods-pod" POD ".slice:cri-containerd:" A "\n", A},
        {"kubernetes with cri-o", "0::/kubepods.slice/kubepods-pod" POD ".slice/crio-" A ".scope/container\n", A},
        {"podman", "0::/machine.slice/libpod-" A ".scope\n", A},
        {"podman, payload", "0::/machine.slice/libpod-payload-" A "\n", A},
        {"podman without root", "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope/container\n", A},
        {"podman without a manager", "7:memory:/libpod_parent/libpod-" A "\n", A},
        {"nerdctl", "0::/system.slice/nerdctl-" A ".scope\n", A},
        {"ECS", "9:perf_event:/ecs/55091c13-b8cf-4801-b527-f4601742204d/" A "\n", A},
        {"no newline at the end", "1:name=systemd:/docker/" A, A},
        {"the first line that has one", "3:a:/\n2:b:/docker/" A "\n1:c:/docker/" B "\n", A},

        {"the monitor of podman", "0::/machine.slice/libpod-conmon-" A ".scope\n", NULL},
        {"the monitor of cri-o", "0::/kubepods.slice/crio-conmon-" A ".scope\n", NULL},
        {"no container, v1", "12:memory:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-3.scope\n", NULL},
        {"no container, v2", "0::/init.scope\n", NULL},
        {"a cgroup namespace of its own", "0::/\n", NULL},
        {"63 digits", "0::/docker/3f1c2a9d7be04c5f8a6b1e2d3c4f5a60718293a4b5c6d7e8f90123456789abc\n", NULL},
        {"65 digits", "0::/docker/" A "0\n", NULL},
        {"within a word", "0::/docker/x" A "\n", NULL},
        {"followed by letters", "0::/docker/" A "xyz\n", NULL},
        {"in capitals", "0::/docker/3F1C2A9D7BE04C5F8A6B1E2D3C4F5A60718293A4B5C6D7E8F90123456789ABCD\n", NULL},
        {"in the controllers", "1:name=" A ":/\n", NULL},
        {"no colons", A "\n", NULL},
        {"one colon", "1:" A "\n", NULL},
        {"nothing", "", NULL},
        {"empty lines", "\n\n\n", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) check(&table[i], wh__container_of_cgroup);
}

#define ROOT "612 611 0:52 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/ABC\n"
#define FROM(folder, id, point) "627 612 8:1 " folder id point " rw,relatime - ext4 /dev/sda1 rw\n"

static void the_id_stands_where_files_were_mounted_from(void **state)
{
    (void)state;
    static const struct row table[] = {
        {"docker", ROOT FROM("/var/lib/docker/containers/", A, "/resolv.conf /etc/resolv.conf")
                   FROM("/var/lib/docker/containers/", A, "/hostname /etc/hostname"), A},
        {"docker elsewhere", FROM("/data/containers/", A, "/hosts /etc/hosts"), A},
        {"podman", FROM("/run/containers/storage/overlay-containers/", A, "/userdata/hostname /etc/hostname"), A},
        {"podman without root", FROM("/1000/containers/overlay-containers/", A, "/userdata/.containerenv /run/.containerenv"), A},

        {"a pod: they are of its sandbox",
         FROM("/var/lib/kubelet/pods/4a2b/etc-hosts", "", " /etc/hosts") FROM("/var/lib/docker/containers/", A, "/hostname /etc/hostname"), NULL},
        {"containerd's sandbox",
         FROM("/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/", A, "/hostname /etc/hostname"), NULL},
        {"a mount of the user's", FROM("/var/lib/docker/containers/", A, "/x /data"), NULL},
        {"a host that sees its containers", "40 25 0:3 net:[4026532] /run/docker/netns/" A " rw - nsfs nsfs rw\n", NULL},
        {"no container", "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n26 25 0:5 / /proc rw - proc proc rw\n", NULL},
        {"63 digits", FROM("/var/lib/docker/containers/", "3f1c2a9d7be04c5f8a6b1e2d3c4f5a60718293a4b5c6d7e8f90123456789abc", "/hostname /etc/hostname"), NULL},
        {"too few fields", "627 612 8:1 /containers/" A "/hostname\n", NULL},
        {"nothing", "", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) check(&table[i], wh__container_of_mounts);
}

/* Whatever is found here, it is found the same way. */
static void the_detector_looks_at_its_own_process(void **state)
{
    (void)state;
    static char text[65536];
    char id[65] = "";
    struct wh_attr_view attr;
    const bool found = (wh__read_file("/proc/self/cgroup", text, sizeof text) && wh__container_of_cgroup(text, id)) ||
                       (wh__read_file("/proc/self/mountinfo", text, sizeof text) && wh__container_of_mounts(text, id));
    wh_resource *r = wh_resource_detect(WH_DETECT_CONTAINER);
    assert_int_equal(wh_resource_attr(r, "container.id", &attr), found);
    if (found) assert_memory_equal(attr.as.string.ptr, id, 64);
    wh_resource_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_id_stands_in_the_cgroup),
        cmocka_unit_test(the_id_stands_where_files_were_mounted_from),
        cmocka_unit_test(the_detector_looks_at_its_own_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
