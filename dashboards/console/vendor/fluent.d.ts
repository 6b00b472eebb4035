// Types of vendor/fluent.js, as far as the pages use it.
export class FluentResource { constructor(source: string) }
export class FluentBundle {
  constructor(language: string, options?: { useIsolating?: boolean });
  addResource(resource: FluentResource): Error[];
  hasMessage(id: string): boolean;
  getMessage(id: string): { value: any; attributes: Record<string, any> } | undefined;
  formatPattern(pattern: any, args?: Record<string, any> | null, errors?: Error[]): string;
  _messages: Map<string, any>;
}
