/** What Callgrind counted of one function: itself, and each function it called. */
export interface Counted {
  object: string;
  name: string;
  self: number;
  calls: Map<string, { count: number; instructions: number }>;
}

/** What Callgrind counted, function by function. */
export class Profile {
  readonly functions = new Map<string, Counted>();

  /** Adds a file that Callgrind wrote with --compress-strings=no --compress-pos=no. */
  add(text: string): void {
    let object = '';
    let current: Counted | undefined;
    let callee = { object: '', name: '' };
    let count: number | undefined;
    for (const line of text.split('\n')) {
      const [, key = '', value = ''] = /^(ob|fn|cob|cfn|calls)=(.*)/.exec(line) ?? [];
      if (key === 'ob') callee.object = object = fileName(value);
      else if (key === 'fn') current = this.of(object, value);
      else if (key === 'cob') callee.object = fileName(value);
      else if (key === 'cfn') callee.name = value;
      else if (key === 'calls') count = Number(value.split(' ')[0]);
      else if (current !== undefined && /^[0-9+*-]/.test(line)) {
        const instructions = Number(line.split(' ')[1]);
        if (count === undefined) current.self += instructions;
        else addCall(current, this.of(callee.object, callee.name), count, instructions);
        if (count !== undefined) callee = { object, name: '' };
        count = undefined;
      }
    }
  }

  get total(): number {
    return [...this.functions.values()].reduce((sum, each) => sum + each.self, 0);
  }

  /** How often functions whose name is like this were called by others. */
  callsOf(name: RegExp): number {
    let sum = 0;
    for (const caller of this.functions.values()) {
      for (const [key, call] of caller.calls) {
        if (name.test(this.functions.get(key)!.name) && !name.test(caller.name)) sum += call.count;
      }
    }
    return sum;
  }

  /** The callers of each function, with the instructions spent for them. */
  callers(): Map<string, { caller: string; instructions: number }[]> {
    const callers = new Map<string, { caller: string; instructions: number }[]>();
    for (const [caller, { calls }] of this.functions) {
      for (const [callee, { instructions }] of calls) {
        callers.set(callee, [...(callers.get(callee) ?? []), { caller, instructions }]);
      }
    }
    return callers;
  }

  private of(object: string, name: string): Counted {
    const key = keyOf(object, name);
    const known = this.functions.get(key) ?? { object, name, self: 0, calls: new Map() };
    this.functions.set(key, known);
    return known;
  }
}

function addCall(caller: Counted, { object, name }: Counted, count: number, instructions: number): void {
  const key = keyOf(object, name);
  const call = caller.calls.get(key) ?? { count: 0, instructions: 0 };
  caller.calls.set(key, { count: call.count + count, instructions: call.instructions + instructions });
}

const keyOf = (object: string, name: string): string => `${object} ${name}`;
const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
