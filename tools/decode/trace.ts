// `--trace` and `--trace-save`: the events that a QEMU traces when it loads the stream, or that the one traced which
// wrote it, a line each as its `log` backend writes them.

import {
  BinaryInputVisitor,
  BinaryOutputVisitor,
} from '../../formats/qemu/vmstate/binary-visitor.ts'
import { Occurrences } from '../../formats/qemu/description/description-sizes.ts'
import { LoadvmTracer } from '../../formats/qemu/trace/loadvm-trace.ts'
import type { OpaqueBody, SectionHead } from '../../formats/qemu/stream/migration-sink.ts'
import {
  ObjectInputVisitor,
  ObjectOutputVisitor,
} from '../../formats/qemu/vmstate/object-visitor.ts'
import { QemuFileReader, QemuFileWriter } from '../../formats/qemu/file/qemu-file.ts'
import { SavevmTracer } from '../../formats/qemu/trace/savevm-trace.ts'
import { traceLine } from '../../formats/qemu/trace/trace-line.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import { DeviceStates } from './device-states.ts'
import { faultOf, finderFor } from './descriptions.ts'
import { FieldList } from './field-list.ts'
import { TextOutput } from './text-output.ts'
import { complain, walk, type WalkSettings } from './walk.ts'

/** Which of the two a stream is traced as. */
export type Traced = 'load' | 'save'

/** Behind these the devices come anew, of the next checkpoint. */
const NEW_DEVICES = ['qemu_loadvm_state_post_main', 'savevm_state_complete_precopy']

/** Reads the stream twice: what a device's fields are is known only at its end. */
export async function showTrace(
  path: string,
  traced: Traced,
  settings: WalkSettings,
): Promise<void> {
  const states = new DeviceStates([])
  await walk(path, states, settings)
  const find = await finderFor(states, settings.other)
  const out = new TextOutput()
  let seen = new Occurrences()
  let occurrence = 0
  const trace = (event: string, ...args: (string | number)[]) => {
    if (NEW_DEVICES.includes(event)) seen = new Occurrences()
    out.add(`${traceLine(event, args)}\n`)
    out.mayFlush()
  }
  const describe = (head: SectionHead) => {
    occurrence = seen.next(head.idstr, head.instanceId)
    return find(head, occurrence)?.name
  }
  const load = (head: SectionHead, { bytes, offset, delimiter }: OpaqueBody) => {
    if (find(head, occurrence) === undefined) return
    const section = { head, occurrence, bytes, bodyOffset: offset, delimiter }
    const from = new BinaryInputVisitor(QemuFileReader.over(bytes, offset))
    faultOf(section, find, from, new FieldList(from), { trace })
  }
  const save = (head: SectionHead, { bytes, offset, delimiter }: OpaqueBody) => {
    const vmsd = find(head, occurrence)
    if (vmsd === undefined) return
    const section = { head, occurrence, bytes, bodyOffset: offset, delimiter }
    const device = {}
    const from = new BinaryInputVisitor(QemuFileReader.over(bytes, offset))
    const into = new ObjectOutputVisitor(device, { nested: true })
    if (faultOf(section, find, from, into) !== undefined) return
    const nowhere = new BinaryOutputVisitor(new QemuFileWriter({ write: () => {} }))
    transfer(vmsd, new ObjectInputVisitor(device, { nested: true }), nowhere, { trace })
  }
  const saving = new SavevmTracer(trace, describe, save)
  const sink = traced === 'save' ? saving : new LoadvmTracer(trace, describe, load)
  const walked = await walk(path, sink, settings)
  if (traced === 'save' && walked.error === undefined) saving.finish()
  out.flush()
  complain(path, walked)
}
