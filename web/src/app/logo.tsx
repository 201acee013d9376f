// The mark of the product: a ship under sail.
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32" className="shrink-0">
      <rect width="32" height="32" rx="7" fill="#0b5cad" />
      <path
        fill="#fff"
        d="M6 21.5h20l-2.6 4.2a1.6 1.6 0 0 1-1.4.8H10a1.6 1.6 0 0 1-1.4-.8zM15 5.5V19H7.5C11.8 15.7 14.2 11 15 5.5zM17 8c4.2 2.6 6.6 6.4 7.5 11H17z"
      />
    </svg>
  );
}
