"""ranking"""

import streamlit as st

st.title("ranking")
