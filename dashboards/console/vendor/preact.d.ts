// Types of vendor/preact.js, as far as the pages use it.
export interface Signal<T> { value: T; peek(): T }
export function signal<T>(value: T): Signal<T>;
export function computed<T>(make: () => T): { readonly value: T };
export function effect(run: () => void): () => void;
export function batch(run: () => void): void;
export function html(strings: TemplateStringsArray, ...values: any[]): any;
export function render(node: any, into: Element): void;
export function useState<T>(initial: T): [T, (next: T | ((before: T) => T)) => void];
export function useRef<T>(initial: T): { current: T };
export function useEffect(run: () => void | (() => void), inputs?: any[]): void;
export function useLayoutEffect(run: () => void | (() => void), inputs?: any[]): void;
export function useMemo<T>(make: () => T, inputs: any[]): T;
export function useId(): string;
export function useErrorBoundary(handle?: (error: any) => void): [any, () => void];
