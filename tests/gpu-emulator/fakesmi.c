/* A pretended nvidia-smi, for tests alone: it reads the same state as the pretended libraries. It
 * knows -L, --query-gpu=… --format=csv[,noheader][,nounits], -q -x, --query-compute-apps=…, no
 * arguments, and -i with a number or a UUID. NVFAKE_SMI makes it fail as the real one does. */
#include "nvfake.h"

typedef struct {
  int pid, gpu, w, h, fps, vram;
  char codec[16];
} Session;

static Session sessions[NVF_MAXSESS];
static int session_count;

static void load_sessions(void) {
  char p[512], b[256];
  for (int i = 0; i < NVF_MAXSESS; i++) {
    snprintf(p, sizeof p, "%s/sess.%03d", nvf_state(), i);
    int fd = open(p, O_RDWR | O_CLOEXEC);
    if (fd < 0)
      continue;
    /* A file that is locked belongs to an encoder that lives. */
    if (flock(fd, LOCK_SH | LOCK_NB)) {
      ssize_t n = pread(fd, b, sizeof b - 1, 0);
      Session *s = &sessions[session_count];
      if (n > 0 &&
          (b[n] = 0, sscanf(b, "pid=%d gpu=%d codec=%15s w=%d h=%d fps=%d vram=%d", &s->pid,
                            &s->gpu, s->codec, &s->w, &s->h, &s->fps, &s->vram) == 7))
        session_count++;
    }
    close(fd);
  }
}

static const char *value_of(int argc, char **argv, const char *k) {
  size_t n = strlen(k);
  for (int i = 1; i < argc; i++) {
    if (!strncmp(argv[i], k, n) && argv[i][n] == '=')
      return argv[i] + n + 1;
    if (!strcmp(argv[i], k) && i + 1 < argc)
      return argv[i + 1];
  }
  return NULL;
}

static int is_given(int argc, char **argv, const char *k) {
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], k))
      return 1;
  return 0;
}

static int print_field(const NvfGpu *g, const char *f, int nounits, int header) {
  char u[64], unit[16] = "", v[128] = "[N/A]";
  int n = 0, vram = 1 + (int)nvf_int("NVFAKE_USED_MB", 0), fps = 0, lost = nvf_lost(g->phys);
  for (int i = 0; i < session_count; i++)
    if (sessions[i].gpu == g->phys) {
      n++;
      vram += sessions[i].vram;
      fps += sessions[i].fps;
    }
  nvf_uuid(g->phys, u);
  int enc = g->engines ? n * 30 / g->engines : 0;
  if (enc > 100)
    enc = 100;
  if (!strcmp(f, "index"))
    sprintf(v, "%d", g->phys);
  else if (!strcmp(f, "name") || !strcmp(f, "gpu_name"))
    sprintf(v, "%s", g->name);
  else if (!strcmp(f, "uuid") || !strcmp(f, "gpu_uuid"))
    sprintf(v, "%s", u);
  else if (!strcmp(f, "driver_version"))
    sprintf(v, "%s", nvf_env("NVFAKE_DRIVER", "570.133.07"));
  else if (!strcmp(f, "compute_cap"))
    sprintf(v, "%d.%d", g->major, g->minor);
  else if (!strcmp(f, "pci.bus_id") || !strcmp(f, "gpu_bus_id"))
    sprintf(v, "00000000:%02X:00.0", g->phys + 1);
  else if (!strcmp(f, "memory.total"))
    sprintf(v, "%ld", g->mib), strcpy(unit, "MiB");
  else if (!strcmp(f, "memory.used"))
    sprintf(v, "%d", vram), strcpy(unit, "MiB");
  else if (!strcmp(f, "memory.free"))
    sprintf(v, "%ld", g->mib - vram), strcpy(unit, "MiB");
  else if (!strncmp(f, "utilization.", 12) && nvf_split(g->phys))
    strcpy(v, "[N/A]");
  else if (!strcmp(f, "utilization.gpu"))
    sprintf(v, "%d", n ? 5 : 0), strcpy(unit, "%");
  else if (!strcmp(f, "utilization.memory"))
    sprintf(v, "0"), strcpy(unit, "%");
  else if (!strcmp(f, "utilization.encoder"))
    sprintf(v, "%d", enc), strcpy(unit, "%");
  else if (!strcmp(f, "utilization.decoder"))
    sprintf(v, "0"), strcpy(unit, "%");
  else if (!strcmp(f, "encoder.stats.sessionCount"))
    sprintf(v, "%d", n);
  else if (!strcmp(f, "encoder.stats.averageFps"))
    sprintf(v, "%d", n ? fps / n : 0);
  else if (!strcmp(f, "encoder.stats.averageLatency"))
    sprintf(v, "%d", n ? 900 : 0);
  else if (!strcmp(f, "temperature.gpu"))
    sprintf(v, "41");
  else if (!strcmp(f, "power.draw"))
    sprintf(v, "27.40"), strcpy(unit, "W");
  else if (!strcmp(f, "mig.mode.current"))
    sprintf(v, nvf_split(g->phys) ? "Enabled" : "[N/A]");
  else if (!strcmp(f, "persistence_mode"))
    sprintf(v, "Enabled");
  else if (!strcmp(f, "pstate"))
    sprintf(v, "P0");
  else
    return -1;
  if (header)
    printf(*unit ? "%s [%s]" : "%s", f, unit);
  else if (lost && strcmp(f, "index") && strcmp(f, "uuid"))
    printf("[GPU is lost]");
  else if (*unit && !nounits)
    printf("%s %s", v, unit);
  else
    printf("%s", v);
  return 0;
}

int main(int argc, char **argv) {
  NvfGpu g[NVF_MAXGPU];
  int n = nvf_all(g);
  const char *mode = nvf_env("NVFAKE_SMI", ""), *q = value_of(argc, argv, "--query-gpu"),
             *fmt = value_of(argc, argv, "--format"), *id = value_of(argc, argv, "-i");
  if (!id)
    id = value_of(argc, argv, "--id");
  if (!strcmp(mode, "hang"))
    pause();
  if (!strcmp(mode, "fail")) {
    printf(
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make "
        "sure that the latest NVIDIA driver is installed and running.\n\n");
    return 9;
  }
  if (!strcmp(mode, "nolib")) {
    printf("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that "
           "the NVIDIA Display Driver is properly installed and present in your system.\n");
    return 12;
  }
  if (!strcmp(mode, "mismatch")) {
    printf(
        "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: %.7s\n",
        nvf_env("NVFAKE_DRIVER", "570.133.07"));
    return 18;
  }
  if (!strcmp(mode, "denied")) {
    printf("Failed to initialize NVML: Insufficient Permissions\n");
    return 4;
  }
  if (!strcmp(mode, "nonsense")) {
    printf("\033[31m<<<<<<<\n,,,,,,,,,,,\n0, 1, 2\nGPU-\n%%s%%n\n");
    return 0;
  }
  if (!n) {
    printf("No devices were found\n");
    return 6;
  }
  load_sessions();
  int sel = -1;
  if (id) {
    for (int i = 0; i < n; i++) {
      char u[64];
      nvf_uuid(i, u);
      if (!strcmp(id, u))
        sel = i;
    }
    if (sel < 0)
      sel = atoi(id);
    if (sel >= n) {
      printf("No devices were found\n");
      return 6;
    }
  }
  if (is_given(argc, argv, "-L")) {
    for (int i = 0; i < n; i++) {
      char u[64];
      nvf_uuid(i, u);
      printf("GPU %d: %s (UUID: %s)\n", i, g[i].name, u);
    }
  } else if (q) {
    int noh = fmt && strstr(fmt, "noheader"), nou = fmt && strstr(fmt, "nounits");
    if (!fmt || !strstr(fmt, "csv")) {
      printf("\"--format=\" switch is missing. Required to be set to csv.\n");
      return 2;
    }
    for (int i = noh ? 0 : -1; i < n; i++) {
      if (i >= 0 && sel >= 0 && i != sel)
        continue;
      char *d = strdup(q), *sv = NULL;
      int k = 0;
      for (char *t = strtok_r(d, ", ", &sv); t; t = strtok_r(NULL, ", ", &sv)) {
        if (k++)
          printf(", ");
        if (print_field(&g[i < 0 ? 0 : i], t, nou, i < 0) < 0) {
          printf("Field \"%s\" is not a valid field to query.\n\n", t);
          return 2;
        }
      }
      printf("\n");
      free(d);
    }
  } else if (is_given(argc, argv, "-q") && is_given(argc, argv, "-x")) {
    printf("<?xml version=\"1.0\" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "
           "\"nvsmi_device_v12.dtd\">\n<nvidia_smi_log>\n\t<driver_version>%s</"
           "driver_version>\n\t<cuda_version>12.8</cuda_version>\n\t<attached_gpus>%d</"
           "attached_gpus>\n",
           nvf_env("NVFAKE_DRIVER", "570.133.07"), n);
    for (int i = 0; i < n; i++)
      if (sel < 0 || sel == i) {
        char u[64];
        int c = 0, fps = 0, vram = 1 + (int)nvf_int("NVFAKE_USED_MB", 0);
        nvf_uuid(i, u);
        for (int k = 0; k < session_count; k++)
          if (sessions[k].gpu == i) {
            c++;
            fps += sessions[k].fps;
            vram += sessions[k].vram;
          }
        int enc = g[i].engines ? c * 30 / g[i].engines : 0;
        if (enc > 100)
          enc = 100;
        printf("\t<gpu "
               "id=\"00000000:%02X:00.0\">\n\t\t<product_name>%s</"
               "product_name>\n\t\t<mig_mode>\n\t\t\t<current_mig>N/A</"
               "current_mig>\n\t\t\t<pending_mig>N/A</pending_mig>\n\t\t</mig_mode>\n\t\t<uuid>%s</"
               "uuid>\n\t\t<minor_number>%d</minor_number>\n",
               i + 1, g[i].name, u, i);
        printf("\t\t<fb_memory_usage>\n\t\t\t<total>%ld MiB</total>\n\t\t\t<reserved>0 "
               "MiB</reserved>\n\t\t\t<used>%d MiB</used>\n\t\t\t<free>%ld "
               "MiB</free>\n\t\t</fb_memory_usage>\n",
               g[i].mib, vram, g[i].mib - vram);
        printf(
            "\t\t<utilization>\n\t\t\t<gpu_util>%d %%</gpu_util>\n\t\t\t<memory_util>0 "
            "%%</memory_util>\n\t\t\t<encoder_util>%d %%</encoder_util>\n\t\t\t<decoder_util>0 "
            "%%</decoder_util>\n\t\t</utilization>\n\t\t<encoder_stats>\n\t\t\t<session_count>%d</"
            "session_count>\n\t\t\t<average_fps>%d</average_fps>\n\t\t\t<average_latency>%d</"
            "average_latency>\n\t\t</encoder_stats>\n\t\t<temperature>\n\t\t\t<gpu_temp>41 "
            "C</gpu_temp>\n\t\t</temperature>\n\t\t<processes>\n",
            c ? 5 : 0, enc, c, c ? fps / c : 0, c ? 900 : 0);
        for (int k = 0; k < session_count; k++)
          if (sessions[k].gpu == i)
            printf("\t\t\t<process_info>\n\t\t\t\t<pid>%d</pid>\n\t\t\t\t<type>C</"
                   "type>\n\t\t\t\t<process_name>ffmpeg</process_name>\n\t\t\t\t<used_memory>%d "
                   "MiB</used_memory>\n\t\t\t</process_info>\n",
                   sessions[k].pid, sessions[k].vram);
        printf("\t\t</processes>\n\t</gpu>\n");
      }
    printf("</nvidia_smi_log>\n");
  } else if (value_of(argc, argv, "--query-compute-apps")) {
    if (!fmt || !strstr(fmt, "noheader"))
      printf("pid, process_name, used_gpu_memory [MiB]\n");
    for (int k = 0; k < session_count; k++)
      printf("%d, ffmpeg, %d%s\n", sessions[k].pid, sessions[k].vram,
             fmt && strstr(fmt, "nounits") ? "" : " MiB");
  } else
    printf("NVIDIA-SMI %s   Driver Version: %s   CUDA Version: 12.8   (nvfake: %d GPU, %d encode "
           "sessions)\n",
           nvf_env("NVFAKE_DRIVER", "570.133.07"), nvf_env("NVFAKE_DRIVER", "570.133.07"), n,
           session_count);
  return 0;
}
