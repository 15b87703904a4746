# What containers are confined to by AppArmor that name no profile: all that a container is for, but not the kernel's own
# switches below /proc and /sys, mounts, and the processes of others. Needs no other file.
profile peapod-default flags=(attach_disconnected, mediate_deleted) {
  file,
  network,
  capability,
  unix,

  # Signals come from the machine and from one another.
  signal (receive) peer=unconfined,
  signal (send, receive) peer=peapod-default,
  ptrace (trace, read, tracedby, readby) peer=peapod-default,

  deny mount,
  deny remount,
  deny umount,
  deny pivot_root,

  # Of /proc: processes, and what network and IPC namespaces have of their own, are left.
  deny /proc/{acpi,asound,bus,driver,fs,irq,scsi,tty}/** wkl,
  deny /proc/{kallsyms,kcore,kmem,kmsg,mem,sched_debug,sysrq-trigger,timer_list} wklx,
  deny /proc/{kcore,kmem,mem,sysrq-trigger} r,
  deny /proc/sys/{abi,crypto,debug,dev,sunrpc,user,vm}/** wkl,
  deny /proc/sys/fs/[^m]** wkl,
  deny /proc/sys/kernel/{[^ms],m[^s],s[^eh],se[^m],sh[^m]}** wkl,

  # Of /sys: control groups are left, which are read-only unless they are the container's own.
  deny /sys/[^f]*/** wkl,
  deny /sys/f[^s]*/** wkl,
  deny /sys/fs/[^c]*/** wkl,
  deny /sys/fs/c[^g]*/** wkl,
  deny /sys/firmware/** r,
  deny /sys/kernel/security/** r,
}
