/** The commands in what the doctor says are found, whole and without the words around them. */
import { expect, test } from "bun:test";
import { commandsIn, remedyText } from "./commands.ts";

/** A remedy as the doctor has it, and what of it is typed. */
const remedies: [string, string[]][] = [
  ["Restart the machine: sudo reboot", ["sudo reboot"]],
  [
    "Restart the machine: sudo reboot. The kernel says more: sudo dmesg | grep -iE 'nvrm|xid'",
    ["sudo reboot", "sudo dmesg | grep -iE 'nvrm|xid'"],
  ],
  [
    "Set it by the network: sudo timedatectl set-ntp true — then look: timedatectl",
    ["sudo timedatectl set-ntp true", "timedatectl"],
  ],
  [
    "On the machine: sudo apt-get install nvidia-container-toolkit; sudo nvidia-ctk runtime configure --runtime=docker; sudo systemctl restart docker. Start it again with --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility",
    [
      "sudo apt-get install nvidia-container-toolkit",
      "sudo nvidia-ctk runtime configure --runtime=docker",
      "sudo systemctl restart docker",
    ],
  ],
  [
    `Give that right: sudo chown -R "$(id -un)" DATA_FOLDER — or choose another folder with --data.`,
    [`sudo chown -R "$(id -un)" DATA_FOLDER`],
  ],
  [
    `Keep it on a disk: stop Kinomill, cp -a '/srv/my films' /NEW/FOLDER, then set data = "/NEW/FOLDER".`,
    ["cp -a '/srv/my films' /NEW/FOLDER"],
  ],
  [
    "Free some space; what takes it: du -xh --max-depth=2 DATA_FOLDER | sort -h | tail",
    ["du -xh --max-depth=2 DATA_FOLDER | sort -h | tail"],
  ],
  [
    "Make them: sudo nvidia-modprobe -c0 -u — in a container, start it again with --gpus all",
    ["sudo nvidia-modprobe -c0 -u"],
  ],
  [
    "Give the user of Kinomill that right: sudo usermod -aG video,render USER, then start it again. See who has it: ls -l /dev/nvidia*",
    ["sudo usermod -aG video,render USER", "ls -l /dev/nvidia*"],
  ],
  [
    "See what else writes to it: iostat -x 1 3 — and prefer an SSD of this machine.",
    ["iostat -x 1 3"],
  ],
  [
    "See what hangs or is busy: nvidia-smi; top; sudo dmesg | tail -50",
    ["nvidia-smi", "top", "sudo dmesg | tail -50"],
  ],
  [
    "See which: sudo ss -ltnp 'sport = :7600' — stop it, or choose another with --listen.",
    ["sudo ss -ltnp 'sport = :7600'"],
  ],
  ["Choose an address of this machine (ip addr) and a port above 1023 with --listen.", ["ip addr"]],
  [
    "Install the driver's video libraries (on Debian: sudo apt-get install libnvidia-encode1 libnvcuvid1; Ubuntu has libnvidia-encode-NNN and libnvidia-decode-NNN of the driver's number).",
    ["sudo apt-get install libnvidia-encode1 libnvcuvid1"],
  ],
  [
    "Install the driver and restart: on Debian sudo apt-get install nvidia-driver, on Ubuntu sudo ubuntu-drivers install. In a container, start it with --gpus all.",
    ["sudo apt-get install nvidia-driver", "sudo ubuntu-drivers install"],
  ],
  [
    "Start its service: sudo systemctl enable --now nvidia-fabricmanager. Its version must be that of the driver.",
    ["sudo systemctl enable --now nvidia-fabricmanager"],
  ],
  [
    "See who uses it: nvidia-smi. When its compute mode is exclusive, open it to all: sudo nvidia-smi -c 0",
    ["nvidia-smi", "sudo nvidia-smi -c 0"],
  ],
  [
    "Load it: sudo modprobe nvidia. If that fails, it was not built for this kernel: install the kernel's headers, then the driver again, and restart.",
    ["sudo modprobe nvidia"],
  ],
  [
    "Install it with: sudo apt-get install ffmpeg — or set ffmpeg.path and ffmpeg.ffprobePath to where it is.",
    ["sudo apt-get install ffmpeg"],
  ],
  [
    "Raise it: for the service, MemoryMax= after systemctl edit kinomill — for a container, start it with a larger --memory.",
    ["systemctl edit kinomill"],
  ],
  ["Make one now: kinomill backup now", ["kinomill backup now"]],
  ["Install ffmpeg 6.0 or newer, for example that of Debian 13 or Ubuntu 24.04.", []],
  ["Give Kinomill a larger disk, or docker a volume.", []],
  ["Delete assets that are not needed, or give Kinomill a larger disk.", []],
];

test.each(remedies)("%s", (remedy, commands) => {
  expect(commandsIn(remedy)).toEqual(commands);
  const markup = remedyText(remedy).toString();
  const words = markup
    .replace(/<[^>]+>/g, "")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"');
  expect(words).toBe(remedy);
  expect(markup.match(/data-copy="/g)?.length ?? 0).toBe(commands.length);
});

test("a command with what attacks is text", () => {
  const hostile = `sudo rm '"><img src=x onerror=alert(1)>'`;
  expect(remedyText(hostile).toString()).not.toContain("<img");
});
