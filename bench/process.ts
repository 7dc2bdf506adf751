// The CPU time and the memory of a process, from Linux's /proc. Without /proc the answer is null.
import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that all threads of the process have used, in nanoseconds. */
export function cpuNanoseconds(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      // The first field of schedstat is time on a CPU in nanoseconds; stat counts ticks of 10 ms.
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    }
    return sum;
  } catch {
    return null;
  }
}

/** Resident memory in MB. */
export function residentMegabytes(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}

/** The processes of that name that this process started; none where there is no /proc. */
export function childrenNamed(name: string): number[] {
  try {
    const children: number[] = [];
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const stat = statOf(entry);
      // Fields after the name in parentheses: state, parent.
      const [, command, parent] = /^\d+ \((.*)\) \S+ (\d+)/.exec(stat) ?? [];
      if (command === name && Number(parent) === process.pid) children.push(Number(entry));
    }
    return children;
  } catch {
    return [];
  }
}

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return '';
  }
}
