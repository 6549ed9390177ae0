"""Operations on lists of tensors (torch._foreach_*)."""
